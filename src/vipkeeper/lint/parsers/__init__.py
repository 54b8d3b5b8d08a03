"""One module a format. Each turns a source into documents; any text gives some, or problems."""
