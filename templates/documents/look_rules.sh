
# Looks at the rules that the bucket has.
# $1 in words, $2 the name in commands, $3 the list's name, $4 a condition for our rules, $5 our rules,
# $6 a condition for their place, $7 the most rules that S3 takes. Leaves in $step what is to be done.
look_rules() {
  others=0 own=0 same=False step=none
  if look s3api "get-bucket-$2" --bucket="$bucket" --expected-bucket-owner="$signed_in" \
    ${region:+"--region=$region"} --output=text \
    --query="[length(($3 || \`[]\`)[?!($4)]), length(($3 || \`[]\`)[?$4]), ${3}[?$4] == \`$5\` && $6]"; then
    read -r others own same <<EOF
$answer
EOF
  fi
  case $others$own in
    *[!0-9]*) stop "The answer of get-bucket-$2 cannot be read: $answer" ;;
  esac
  if [ "$undo" = yes ]; then
    if [ "$own" -gt 0 ]; then
      step=remove
      if [ "$others" -eq 0 ]; then step=delete; fi
      will "remove the product's $1 rules ($own) from the bucket $bucket; the $others of others stay"
    fi
  elif [ "$same" != True ]; then
    step=merge
    if [ "$others" -ge "$7" ]; then
      stop "The bucket has $others $1 rules of others, and S3 takes too few more to add the product's."
    fi
    will "set the product's $1 rules in the bucket $bucket; the $others of others stay"
  fi
}

# Reads the rules again and writes them with ours, or without them. Ours go first: S3 takes the first CORS
# rule that matches.
# $1 the name in commands, $2 the list's name, $3 a condition for our rules, $4 our rules, $5 the option that
# takes the rules; further arguments go to the command.
set_rules() {
  name=$1 list=$2 condition=$3 ours=$4 option=$5
  shift 5
  case $step in
    none) return 0 ;;
    delete)
      change s3api "delete-bucket-${name%-configuration}" --bucket="$bucket" \
        --expected-bucket-owner="$signed_in" ${region:+"--region=$region"} || return 1
      return 0
      ;;
    merge) query="{$list: [\`$ours\`, ${list}[?!($condition)]][]}" ;;
    *) query="{$list: ${list}[?!($condition)]}" ;;
  esac
  if ! look s3api "get-bucket-$name" --bucket="$bucket" --expected-bucket-owner="$signed_in" \
    ${region:+"--region=$region"} --output=json --query="$query"; then
    answer="{\"$list\": $ours}"
  fi
  case $answer in
    '{'*'}') ;;
    *) stop "The answer of get-bucket-$name cannot be read. The rules stay as they are: $answer" ;;
  esac
  # A thousand rules are more than one argument may have.
  if [ ${#answer} -lt 30000 ]; then
    value=$answer input=''
  else
    value=file:///dev/stdin input=$answer
  fi
  if change s3api "put-bucket-$name" --bucket="$bucket" --expected-bucket-owner="$signed_in" \
    ${region:+"--region=$region"} "$option=$value" "$@"; then
    input=''
    return 0
  fi
  input=''
  return 1
}

cors_step=none
lifecycle_step=none
smallest=''
if [ -n "$cors" ]; then
  look_rules CORS cors CORSRules "$cors_is_ours" "$cors" "$cors_is_first" 100
  cors_step=$step
fi
if [ -n "$lifecycle" ]; then
  look_rules lifecycle lifecycle-configuration Rules "$lifecycle_is_ours" "$lifecycle" 'Rules != null' 999
  lifecycle_step=$step
  if [ "$lifecycle_step" = merge ]; then
    will "by them, S3 DELETES everything below these paths of the bucket after 7 days, earlier versions
  included, whoever wrote it:
$lifecycle_paths"
  fi
  # Without it, S3 would set the bucket's choice back to the default.
  if look s3api get-bucket-lifecycle-configuration --bucket="$bucket" --expected-bucket-owner="$signed_in" \
    ${region:+"--region=$region"} --query=TransitionDefaultMinimumObjectSize --output=text; then
    smallest=$answer
    if [ "$smallest" = None ]; then smallest=''; fi
  fi
fi
