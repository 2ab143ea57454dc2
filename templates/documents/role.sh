
# The external ID that each statement of the role's trust policy asks for; empty without a role.
role_exists=yes
if ! trusted=$(aws iam get-role --role-name="$role_name" --output=text \
  --query='Role.AssumeRolePolicyDocument.Statement[].[Condition.StringEquals."sts:ExternalId"]' 2>&1); then
  case $trusted in
    *NoSuchEntity*) role_exists=no ;;
    *) say "$trusted"; exit 1 ;;
  esac
fi
if [ "$role_exists" = yes ] && [ "$trusted" != "$external_id" ]; then
  if [ "$undo" = yes ]; then
    say "The role $role_name has a trust policy that is not the one for this external ID."
    say "It may be another's. Nothing was changed."
    exit 1
  fi
  if [ "$replace" = no ]; then
    say "The role $role_name exists, and its trust policy is not the one for this external ID."
    say "Nothing was changed. Run this again with --replace to replace its trust policy."
    exit 1
  fi
fi

if [ "$undo" = no ]; then
  if [ "$role_exists" = yes ]; then
    aws iam get-role --role-name="$role_name" --query=Role.Arn --output=text
    aws iam update-assume-role-policy --role-name="$role_name" --policy-document="$trust_policy"
    if [ -n "$boundary" ]; then
      aws iam put-role-permissions-boundary --role-name="$role_name" --permissions-boundary="$boundary"
    fi
    say "The role $role_name existed. Its trust policy was set."
  else
    aws iam create-role --role-name="$role_name" --path="$role_path" \
      ${boundary:+"--permissions-boundary=$boundary"} \
      --assume-role-policy-document="$trust_policy" --query=Role.Arn --output=text
    say "The role $role_name was made."
  fi
  attempt iam put-role-policy --role-name="$role_name" --policy-name="$policy_name" \
    --policy-document="$permission_policy"
  say "Its permission policy was set."
fi

# Takes the role away, with the policy that this script gave it.
remove_role() {
  if [ "$role_exists" = no ]; then
    say "There is no role $role_name."
    return
  fi
  if ! answer=$(aws iam delete-role-policy --role-name="$role_name" --policy-name="$policy_name" 2>&1); then
    case $answer in
      *NoSuchEntity*) ;;
      *) say "$answer"; exit 1 ;;
    esac
  fi
  aws iam delete-role --role-name="$role_name"
  say "The role $role_name was deleted."
}
