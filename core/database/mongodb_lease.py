"""Loads that know of each other: which of them live, and which one publishes.

Each load that runs has a document, which it renews at the server's time; who has not renewed for `STALE` is dead,
and what it left is dropped. A table's lock is a document with the name of the load that holds it, and is free when
that load is dead: no clock is compared with another.
"""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from core.errors import DatabaseError

if TYPE_CHECKING:
    from pymongo.collection import Collection
    from pymongo.database import Database

    Mongo: TypeAlias = Database[dict[str, Any]]

# No table's name has a dot, so that none is one of these.
LEASES = "polyfaas.leases"
PREFIX, WHOLE = "polyfaas.", ".whole"
RENEWED_EVERY_S = 2.0
STALE = timedelta(seconds=20)
LOCK_TIMEOUT_S = 30.0
PAUSE_S = 0.05
CLEANUP_S = 5.0


class Lease:
    """One load that lives.

    Attributes:
        name: Of the load, and of the collection that it fills.
        whole: Name of the collection in which it adds its rows to those that were there.
    """

    def __init__(self, db: "Mongo") -> None:
        self.name = PREFIX + uuid.uuid4().hex
        self.whole = self.name + WHOLE
        self._leases: Collection[dict[str, Any]] = db[LEASES]
        self._db = db
        self._ended = threading.Event()
        self._renewer = threading.Thread(target=self._renew, name="polyfaas-lease", daemon=True)

    def begin(self) -> None:
        """Tell that this load lives, and drop what dead ones left."""
        now = self._renewed(new=True)
        if now is not None:
            self._sweep(now)
        self._renewer.start()

    def end(self) -> None:
        """Drop all that has this load's name."""
        from pymongo import timeout
        from pymongo.errors import PyMongoError

        self._ended.set()
        self._renewer.join()
        with suppress(PyMongoError), timeout(CLEANUP_S):  # what stays is dropped by another load, as that of a dead one
            self._drop(self.name)

    def check(self) -> None:
        """Renew it.

        Raises:
            DatabaseError: Another load has taken this one for dead.
        """
        if self._renewed(new=False) is None:
            raise DatabaseError(f"this load said nothing for {STALE.seconds} s and was given up: repeat it")

    @contextmanager
    def publishing(self, table: str) -> Iterator[None]:
        """Of all loads into one table, one publishes at a time.

        Raises:
            DatabaseError: Another one was publishing for too long.
        """
        deadline = time.monotonic() + LOCK_TIMEOUT_S
        while not (self._locked(table) or self._taken_over(table)):
            if time.monotonic() > deadline:
                raise DatabaseError(f"another load was publishing for {LOCK_TIMEOUT_S:.0f} s: repeat this one")
            time.sleep(PAUSE_S)
        try:
            yield
        finally:
            self._unlock(table)

    def _renew(self) -> None:
        from pymongo.errors import PyMongoError

        while not self._ended.wait(RENEWED_EVERY_S):
            with suppress(PyMongoError):  # the load itself will find out
                self._renewed(new=False)

    def _renewed(self, *, new: bool) -> datetime | None:
        """Write the server's time into this load's document; gives it, None where the load is dead to others."""
        living = {"_id": self.name, "dead": None}
        now = {"$currentDate": {"renewed": True}}
        found = self._leases.find_one_and_update(living, now, upsert=new, return_document=True)
        return None if found is None else found["renewed"]

    def _sweep(self, now: datetime) -> None:
        """Drop what dead loads left; one that was stopped while it did this is dead by then too."""
        for stale in self._leases.find({"renewed": {"$lt": now - STALE}}):
            if self._buried(stale["_id"], now):
                self._drop(stale["_id"])

    def _buried(self, name: str, now: datetime) -> bool:
        """Whether a load is dead; one that was silent too long is dead from now on, even if it wakes up."""
        self._leases.update_one({"_id": name, "renewed": {"$lt": now - STALE}}, {"$set": {"dead": True}})
        return self._leases.find_one({"_id": name, "dead": None}) is None

    def _drop(self, name: str) -> None:
        self._db.drop_collection(name)
        self._db.drop_collection(f"{name}{WHOLE}")
        self._leases.delete_one({"_id": name})

    def _locked(self, table: str) -> bool:
        from pymongo.errors import DuplicateKeyError

        try:
            self._leases.insert_one({"_id": table, "holder": self.name})
        except DuplicateKeyError:
            return False
        return True

    def _taken_over(self, table: str) -> bool:
        """Take the lock of a load that is dead; gives whether it was."""
        now, found = self._renewed(new=False), self._leases.find_one({"_id": table})
        if now is None or found is None or not self._buried(found["holder"], now):
            return False
        taken = self._leases.update_one({"_id": table, "holder": found["holder"]}, {"$set": {"holder": self.name}})
        return taken.modified_count == 1

    def _unlock(self, table: str) -> None:
        from pymongo import timeout
        from pymongo.errors import PyMongoError

        with suppress(PyMongoError), timeout(CLEANUP_S):  # a lock of who has ended is free
            self._leases.delete_one({"_id": table, "holder": self.name})


@contextmanager
def leased(db: "Mongo") -> Iterator[Lease]:
    """A load that lives as long as the context lasts; nothing with its name is left then."""
    lease = Lease(db)
    lease.begin()
    try:
        yield lease
    finally:
        lease.end()
