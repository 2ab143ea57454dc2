
if [ "$policy_step" != none ]; then
  retry set_policy
  say "The policy: done. The statements of others stayed."
fi
