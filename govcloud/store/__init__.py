"""Where results are kept: SQLAlchemy Core on SQLite or PostgreSQL. One file per aggregate; callers hold the transaction.

Every function takes an open transaction (`tx`), so that a result and its ledger record are written together or not at all.
"""

from govcloud.store.engine import Store, open_store

__all__ = ["Store", "open_store"]
