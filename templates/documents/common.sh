
# Version 2 of the AWS CLI would show answers in a pager.
AWS_PAGER=''
export AWS_PAGER

signed_in=$(aws sts get-caller-identity --query=Account --output=text)
if [ -n "$account" ] && [ "$signed_in" != "$account" ]; then
  say "This script is for account $account, but the AWS CLI is signed in to $signed_in. Nothing was changed."
  exit 1
fi

# Makes a call that may come too early: AWS takes up to a minute until every part of it knows a new role.
# Such refusals, and those because of another change at the same time, are tried again for about a minute.
tries=20
pause=3
attempt() {
  left=$tries
  until answer=$(aws "$@" 2>&1); do
    case $answer in
      *NoSuchEntity* | *"nvalid principal"* | *OperationAborted* | *ConcurrentModification*) ;;
      *) say "$answer"; exit 1 ;;
    esac
    left=$((left - 1))
    if [ "$left" -le 0 ]; then
      say "$answer"
      say "AWS still refuses this after $tries tries. Run the script again later."
      exit 1
    fi
    sleep "$pause"
  done
}
