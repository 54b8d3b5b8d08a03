"""Bundles: what `vipkeeper collect` writes, and the readers of ours and of Rancher's."""
