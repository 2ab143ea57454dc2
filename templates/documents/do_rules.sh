
if [ "$cors_step" != none ]; then
  step=$cors_step
  retry set_rules cors CORSRules "$cors_is_ours" "$cors" --cors-configuration
  say "CORS rules: done. Those of others stayed."
fi
if [ "$lifecycle_step" != none ]; then
  step=$lifecycle_step
  retry set_rules lifecycle-configuration Rules "$lifecycle_is_ours" "$lifecycle" --lifecycle-configuration \
    ${smallest:+"--transition-default-minimum-object-size=$smallest"}
  say "Lifecycle rules: done. Those of others stayed."
fi
