
if [ -z "$plan" ]; then
  say "There is nothing to do."
else
  say "This will, in account $signed_in:$plan"
  if [ "$dry_run" = yes ]; then
    say "Nothing was changed, because of --dry-run."
    exit 0
  fi
  if [ "$yes" = no ]; then
    if ! [ -t 0 ]; then
      say "Nothing was changed: there is no terminal to ask at. Run it with --yes to do this."
      exit 2
    fi
    printf 'Continue? [y/N] ' >&2
    read -r reply || reply=''
    case $reply in
      y | Y | yes | Yes | YES) ;;
      *) say "Nothing was changed."; exit 1 ;;
    esac
  fi
fi
