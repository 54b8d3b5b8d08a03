"""One module a target; `fuzz.target.WEIGHTS` lists them."""
