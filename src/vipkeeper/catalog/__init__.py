"""The table of codes: what `explain`, the rule pages and every output format say about a finding."""
