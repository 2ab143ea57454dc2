
# Adds our rules to a configuration of the bucket, and puts them in the place of older ones of ours. Ours
# go first: S3 takes the first CORS rule that matches. With --undo, ours are taken away.
# $1 the configuration's name in commands, $2 a query for the rules that are not ours, $3 our rules as a
# JSON array, $4 the name of the array in the configuration; further arguments go to the command.
set_rules() {
  name=$1 query=$2 ours=$3 array=$4
  shift 4
  if others=$(aws s3api "get-bucket-$name" --bucket="$bucket" ${region:+"--region=$region"} \
    --query="$query" --output=json 2>&1); then
    case $others in
      null | '[]') others='' ;;
      '['*']') ;;
      *) say "The answer of get-bucket-$name cannot be read. The rules stay as they are: $others"; exit 1 ;;
    esac
  else
    case $others in
      *NoSuchCORSConfiguration* | *NoSuchLifecycleConfiguration*)
        if [ "$undo" = yes ]; then return; fi
        others=''
        ;;
      *) say "$others"; exit 1 ;;
    esac
  fi
  if [ "$undo" = yes ] && [ -z "$others" ]; then
    attempt s3api "delete-bucket-${name%-configuration}" --bucket="$bucket" ${region:+"--region=$region"}
    say "The bucket's ${name%-configuration} rules were ours alone, and were deleted."
    return
  fi
  if [ "$undo" = yes ]; then
    rules=$others
  elif [ -n "$others" ]; then
    rules="${ours%]},${others#?}"
  else
    rules=$ours
  fi
  attempt s3api "put-bucket-$name" --bucket="$bucket" ${region:+"--region=$region"} "$@" \
    "--${name%-configuration}-configuration={\"$array\":$rules}"
  say "The bucket's ${name%-configuration} rules were set. Those of others stayed."
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
