"""Says what is wrong under which clause: rule packs and catalogs from disk, pure evaluation of an inventory."""
