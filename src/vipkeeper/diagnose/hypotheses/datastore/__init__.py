"""etcd, its quorum, its members and its disk."""
