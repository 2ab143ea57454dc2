
say() { printf '%s\n' "$*" >&2; }

undo=no
for argument in "$@"; do
  case $argument in
    --undo) undo=yes ;;
    *) say "Unknown argument: $argument. There is --undo."; exit 2 ;;
  esac
done
