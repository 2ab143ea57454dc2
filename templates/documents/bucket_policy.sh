
if found=$(aws s3api get-bucket-policy --bucket="$bucket" ${region:+"--region=$region"} \
  --query=Policy --output=text 2>&1); then
  merge_statements "$found"
else
  case $found in
    *NoSuchBucketPolicy*) ;;
    *) say "$found"; exit 1 ;;
  esac
  merged=$policy count=1
  if [ "$undo" = yes ]; then merged='' count=0; fi
fi
if [ "$count" -gt 0 ]; then
  attempt s3api put-bucket-policy --bucket="$bucket" ${region:+"--region=$region"} --policy="$merged"
  say "The bucket's policy was set. The statements of others stayed."
elif [ -n "$merged" ]; then
  attempt s3api delete-bucket-policy --bucket="$bucket" ${region:+"--region=$region"}
  say "The bucket's policy had our statements alone, and was deleted."
fi
