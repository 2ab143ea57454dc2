
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
  --query='Role.AssumeRolePolicyDocument.Statement[].[Condition.StringEquals."sts:ExternalId"]' 2>&1); then
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

# Adds our rules to a configuration of the bucket, and puts them in the place of older ones of ours. Ours
# go first: S3 takes the first CORS rule that matches.
# $1 the configuration's name in commands, $2 a query for the rules that are not ours, $3 our rules as a
# JSON array, $4 the name of the array in the configuration; further arguments go to the command.
set_rules() {
  name=$1 query=$2 ours=$3 array=$4
  shift 4
  if others=$(aws s3api "get-bucket-$name" --bucket="$bucket" ${region:+"--region=$region"} \
    --query="$query" --output=json 2>&1); then
    case $others in
      null | '[]') rules=$ours ;;
      '['*']') rules="${ours%]},${others#?}" ;;
      *) say "The answer of get-bucket-$name cannot be read. The rules stay as they are: $others"; exit 1 ;;
    esac
  else
    case $others in
      *NoSuchCORSConfiguration* | *NoSuchLifecycleConfiguration*) rules=$ours ;;
      *) say "$others"; exit 1 ;;
    esac
  fi
  aws s3api "put-bucket-$name" --bucket="$bucket" ${region:+"--region=$region"} "$@" \
    "--${name%-configuration}-configuration={\"$array\":$rules}" >/dev/null
}

if [ -n "$cors" ]; then
  set_rules cors "$cors_of_others" "$cors" CORSRules
fi
if [ -n "$lifecycle" ]; then
  # Without it, S3 would set the bucket's choice back to the default.
  smallest=$(aws s3api get-bucket-lifecycle-configuration --bucket="$bucket" \
    ${region:+"--region=$region"} --query=TransitionDefaultMinimumObjectSize --output=text 2>/dev/null) \
    || smallest=None
  if [ "$smallest" = None ]; then smallest=; fi
  set_rules lifecycle-configuration "$lifecycle_of_others" "$lifecycle" Rules \
    ${smallest:+"--transition-default-minimum-object-size=$smallest"}
fi

aws iam get-role --role-name="$role_name" --query=Role.Arn --output=text
