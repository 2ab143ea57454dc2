
say() { printf '%s\n' "$@" >&2; }

undo=no
yes=no
dry_run=no
for argument in "$@"; do
  case $argument in
    --undo) undo=yes ;;
    --yes) yes=yes ;;
    --dry-run) dry_run=yes ;;
    *)
      say "Unknown argument: $argument. There are --dry-run, --yes and --undo. Nothing was changed."
      exit 2
      ;;
  esac
done

# Version 2 of the AWS CLI would show answers in a pager, or ask for arguments.
AWS_PAGER=''
AWS_CLI_AUTO_PROMPT=off
export AWS_PAGER AWS_CLI_AUTO_PROMPT

changed=no
stop() {
  say "$@"
  if [ "$changed" = no ]; then
    say "Nothing was changed."
  else
    say "What was done before this stays. Run the script again to do the rest."
  fi
  exit 1
}

# Reads something. Leaves the answer in $answer; the status is 1 where there is nothing of the kind.
# A failed question is asked again for its error, because a warning must not get into an answer.
look() {
  if answer=$(aws "$@" 2>/dev/null); then return 0; fi
  if answer=$(aws "$@" 2>&1); then stop "AWS gave two answers to one question. Run the script again."; fi
  case $answer in
    *'(NoSuchEntity)'* | *'(NoSuchBucketPolicy)'*) return 1 ;;
    *'(NoSuchCORSConfiguration)'* | *'(NoSuchLifecycleConfiguration)'*) return 1 ;;
  esac
  stop "$answer"
}

# Makes one change. $input is what a command reads that takes its standard input.
input=''
change() { answer=$(printf '%s' "$input" | aws "$@" 2>&1); }

# Makes a change that may come too early: AWS takes up to a minute until every part of it knows a new role.
# Such refusals, and those because of another change at the same time, are tried again for about a minute.
tries=20
pause=3
retry() {
  left=$tries
  until "$@"; do
    case $answer in
      *'(NoSuchEntity)'* | *"nvalid principal"*) ;;
      *'(OperationAborted)'* | *'(ConcurrentModification)'*) ;;
      *) stop "$answer" ;;
    esac
    left=$((left - 1))
    if [ "$left" -le 0 ]; then stop "$answer" "AWS still refuses this after $tries tries."; fi
    sleep "$pause"
  done
  changed=yes
}

# What will be done, in words: one line for each.
plan=''
will() {
  plan="$plan
- $*"
}

caller=$(aws sts get-caller-identity --query='[Account, Arn]' --output=text) || exit 1
signed_in=${caller%%[!0-9]*}
say "The AWS CLI is signed in to account $signed_in, as ${caller##*[[:space:]]}."
if [ -n "$account" ] && [ "$signed_in" != "$account" ]; then
  stop "This script is for account $account."
fi
