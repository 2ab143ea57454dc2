
# The policy in $1 without our statements, and with ours added unless --undo is given: ours are known by how
# their Sids begin. The AWS CLI can merge JSON with a query, and the query's values are JSON between
# backticks; a backtick of the policy's own is written as JSON's escape. Leaves the policy in $merged, and the
# numbers of the statements of others, of ours, and whether ours are as they should be.
merge_policy() {
  found=$(printf '%s' "$1" | sed 's/`/\\u0060/g')
  kept="[Statement][] | [?!starts_with(Sid || '', '$sid_begins')]"
  own="[Statement][] | [?starts_with(Sid || '', '$sid_begins')]"
  if [ "$undo" = yes ]; then added='[]'; else added=$statements; fi
  look sts get-caller-identity --output=text \
    --query="[\`$found\`] | [0].[length($kept), length($own), ($own) == \`$statements\`]" || exit 1
  read -r others ours same <<EOF
$answer
EOF
  case $others$ours in
    *[!0-9]*) stop "The policy cannot be read: $1" ;;
  esac
  look sts get-caller-identity --output=json \
    --query="[\`$found\`] | [0].merge(@, {Statement: [$kept, \`$added\`][]})" || exit 1
  # The AWS CLI indents, and a policy's length has a limit.
  merged=$(printf '%s' "$answer" | sed 's/^ *//' | tr -d '\n')
  case $merged in
    '{'*'}') ;;
    *) stop "The policy cannot be read: $1" ;;
  esac
}
