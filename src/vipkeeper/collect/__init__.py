"""Where facts come from: this host and what it can reach, bundles, other people's bundles. Reads only."""
