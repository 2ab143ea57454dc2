
say() { printf '%s\n' "$*" >&2; }

replace=no
undo=no
for argument in "$@"; do
  case $argument in
    --replace) replace=yes ;;
    --undo) undo=yes ;;
    *) say "Unknown argument: $argument. There are --undo and --replace."; exit 2 ;;
  esac
done
