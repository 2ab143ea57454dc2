
say() { printf '%s\n' "$*" >&2; }

replace=no
for argument in "$@"; do
  case $argument in
    --replace) replace=yes ;;
    *) say "Unknown argument: $argument. The only one is --replace."; exit 2 ;;
  esac
done

# Version 2 of the AWS CLI would show answers in a pager.
AWS_PAGER=''
export AWS_PAGER

if [ -n "$account" ]; then
  signed_in=$(aws sts get-caller-identity --query=Account --output=text)
  if [ "$signed_in" != "$account" ]; then
    say "The role belongs to account $account, but the AWS CLI is signed in to $signed_in."
    exit 1
  fi
fi

if trusted=$(aws iam get-role --role-name="$role_name" --output=text \
  --query='Role.AssumeRolePolicyDocument.Statement[].Condition.StringEquals."sts:ExternalId"' 2>&1); then
  if [ "$trusted" != "$external_id" ] && [ "$replace" = no ]; then
    say "The role $role_name exists, and its trust policy is not the one for this external ID."
    say "Nothing was changed. Run this again with --replace to replace its trust policy."
    exit 1
  fi
  aws iam update-assume-role-policy --role-name="$role_name" --policy-document="$trust_policy"
else
  case $trusted in
    *NoSuchEntity*) ;;
    *) say "$trusted"; exit 1 ;;
  esac
  aws iam create-role --role-name="$role_name" --path="$role_path" \
    --assume-role-policy-document="$trust_policy" >/dev/null
fi
aws iam put-role-policy --role-name="$role_name" --policy-name="$policy_name" \
  --policy-document="$permission_policy"

status=0

# Sets a configuration of the bucket, unless it has rules that are not ours.
# $1 the configuration's name in commands, $2 a query for one line a rule, $3 the lines of our rules,
# $4 the configuration.
set_rules() {
  if found=$(aws s3api "get-bucket-$1" --bucket="$bucket" ${region:+"--region=$region"} \
    --query="$2" --output=text 2>&1); then
    others=$(printf '%s\n' "$found" | grep -vxF -e "$3") || [ $? -eq 1 ]
  else
    case $found in
      *NoSuchCORSConfiguration* | *NoSuchLifecycleConfiguration*) others='' ;;
      *) say "$found"; exit 1 ;;
    esac
  fi
  if [ -n "$others" ] && [ "$replace" = no ]; then
    say "The bucket $bucket has other rules (get-bucket-$1), which stay as they are."
    say "Add these to them, or run this again with --replace to have these alone:"
    say "$4"
    status=3
    return
  fi
  aws s3api "put-bucket-$1" --bucket="$bucket" ${region:+"--region=$region"} \
    "--${1%-configuration}-configuration=$4" >/dev/null
}

if [ -n "$cors" ]; then
  # shellcheck disable=SC2016 # The backticks are the query's.
  set_rules cors 'CORSRules[].[join(`","`, AllowedOrigins), join(`","`, AllowedMethods), join(`","`, AllowedHeaders || `[]`), join(`","`, ExposeHeaders || `[]`), MaxAgeSeconds]' \
    "$cors_rules" "$cors"
fi
if [ -n "$lifecycle" ]; then
  set_rules lifecycle-configuration 'Rules[].[ID, Filter.Prefix, Expiration.Days, NoncurrentVersionExpiration.NoncurrentDays, AbortIncompleteMultipartUpload.DaysAfterInitiation]' \
    "$lifecycle_rules" "$lifecycle"
fi

aws iam get-role --role-name="$role_name" --query=Role.Arn --output=text
exit "$status"
