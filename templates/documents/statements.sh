
# The statements of a policy without ours, and with ours added unless --undo is given. A list of one is the
# same as its element, and a Sid that another statement has is left out: the Sids of a policy must differ.
merge='
def list: if type == "array" then . else [.] end;
def normal: walk(if type == "array" then (sort | if length == 1 then .[0] else . end) else . end);
def same($own): (normal | del(.Sid)) == ($own | normal | del(.Sid));
def older($own): .Sid == $own.Sid and (.Principal | normal) == ($own.Principal | normal);
($ours[0].Statement | list) as $own
| .Statement = [(.Statement // []) | list[] | select(. as $one | any($own[]; . as $mine | $one | same($mine) or older($mine)) | not)]
| if $undo == "yes" then . else .Statement as $others
  | .Statement += [$own[] | . as $mine | if any($others[]; .Sid == $mine.Sid) then del(.Sid) else . end] end
'

# $1 the policy that is there. Leaves the new one in $merged, and the number of its statements in $count.
merge_statements() {
  if ! command -v jq >/dev/null 2>&1; then
    say "This needs the program jq, to keep the statements that are in the policy. Nothing was changed."
    say "Install jq, or add these statements by hand:"
    say "$policy"
    exit 1
  fi
  merged=$(printf '%s' "$1" | jq -c --arg undo "$undo" --argjson ours "[$policy]" "$merge")
  count=$(printf '%s' "$merged" | jq '.Statement | length')
}
