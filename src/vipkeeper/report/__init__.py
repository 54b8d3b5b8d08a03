"""Values to text: terminal, JSON, SVG, HTML. No measurement happens here."""
