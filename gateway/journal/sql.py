"""Everything that is ever said to the database, apart from the schema.

Nothing here is put together from parts but at the import; values travel as parameters.
"""

ROWS_AT_ONCE = (64, 32, 16, 8, 4, 2, 1)
"""Rows that one order puts on a shelf. The interpreter changes hands at each order: a thread that
puts them down one by one stands in line for it at every row, behind a loop that is busy."""


def _at_once(insert: str) -> dict[int, str]:
    """Return this order for so many rows at a time, by how many they are."""
    values = insert[insert.rindex("(") :]
    return {rows: insert + f", {values}" * (rows - 1) for rows in ROWS_AT_ONCE}


INSERT_ROWS = {
    "entry": _at_once(
        """INSERT INTO entry (number, ordinal, lane, journaled_utc_ns, before, link, body)
        VALUES (?, ?, ?, ?, ?, ?, ?)"""
    ),
    "routine": _at_once(
        """INSERT INTO routine (number, ordinal, journaled_utc_ns, before, link, body)
        VALUES (?, ?, ?, ?, ?, ?)"""
    ),
    "refused": _at_once(
        """INSERT INTO refused (number, ordinal, journaled_utc_ns, before, link, body)
        VALUES (?, ?, ?, ?, ?, ?)"""
    ),
    "unread": _at_once(
        """INSERT INTO unread (number, ordinal, journaled_utc_ns, before, link, body)
        VALUES (?, ?, ?, ?, ?, ?)"""
    ),
    "outbox": _at_once("INSERT INTO outbox (link, rank, number) VALUES (?, ?, ?)"),
}

STRIKE = """
    DELETE FROM outbox WHERE link = ? AND rank IN (0, 1, 2) AND number = ? RETURNING rank
"""

SET_OWED = """
    INSERT INTO owed (link, count, total) VALUES (?, ?, ?)
    ON CONFLICT (link) DO UPDATE SET count = excluded.count, total = excluded.total
"""

# Both sides of what is owed, and what it takes to write them anew.

OWED = "SELECT link, count, total FROM owed"

OUTBOXES = """
    SELECT outbox.link, rank, outbox.number, lane
    FROM outbox LEFT JOIN entry ON entry.number = outbox.number
"""

CLEAR_OWED = "DELETE FROM owed"

CLEAR_OUTBOX = "DELETE FROM outbox"

KEPT = """
    SELECT 'entry', number, ordinal, lane, journaled_utc_ns, before, link, body
    FROM entry ORDER BY number
"""

GONE_ASTRAY = "INSERT INTO quarantine (found_utc_ns, shelf, number) VALUES (?, 'entry', ?)"

# The newest row that is to leave a ring, and all up to it.

RING_EDGE = {
    "routine": "SELECT number, ordinal, link FROM routine ORDER BY number LIMIT 1 OFFSET ?",
    "refused": "SELECT number, ordinal, link FROM refused ORDER BY number LIMIT 1 OFFSET ?",
    "unread": "SELECT number, ordinal, link FROM unread ORDER BY number LIMIT 1 OFFSET ?",
}

TRIM_RING = {
    "routine": "DELETE FROM routine WHERE number <= ?",
    "refused": "DELETE FROM refused WHERE number <= ?",
    "unread": "DELETE FROM unread WHERE number <= ?",
}

# Entries from a number on, and whether each may be thrown away: old enough, in no outbox, and not
# the newest word of an incident that stands.

RIPE = """
    SELECT (number <= :number_proven
            OR number <= :number_dated AND journaled_utc_ns BETWEEN :utc_ns_min AND :utc_ns_max)
        AND NOT EXISTS (SELECT 1 FROM json_each(:links) AS asked, outbox
            WHERE outbox.link = asked.value AND rank IN (0, 1, 2)
                AND outbox.number = entry.number)
        AND number NOT IN (SELECT number FROM standing WHERE NOT gone),
        number, ordinal, lane, journaled_utc_ns, before, link, body
    FROM entry WHERE number > :after AND number <= max(:number_proven, :number_dated)
    ORDER BY number LIMIT :limit
"""

DELETE_ROW = {
    "entry": "DELETE FROM entry WHERE number = ?",
    "routine": "DELETE FROM routine WHERE number = ?",
    "refused": "DELETE FROM refused WHERE number = ?",
    "unread": "DELETE FROM unread WHERE number = ?",
}

INSERT_TRIM = """
    INSERT INTO trim (place, ordinal_first, ordinal_last, number_first, number_last,
        trimmed_utc_ns, anchor, before, link) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

SET_ASIDE = {
    "entry": """INSERT INTO quarantine
        (found_utc_ns, shelf, number, ordinal, lane, journaled_utc_ns, before, link, body)
        SELECT ?, 'entry', number, ordinal, lane, journaled_utc_ns, before, link, body
        FROM entry WHERE number = ?""",
    "routine": """INSERT INTO quarantine
        (found_utc_ns, shelf, number, ordinal, lane, journaled_utc_ns, before, link, body)
        SELECT ?, 'routine', number, ordinal, NULL, journaled_utc_ns, before, link, body
        FROM routine WHERE number = ?""",
    "refused": """INSERT INTO quarantine
        (found_utc_ns, shelf, number, ordinal, lane, journaled_utc_ns, before, link, body)
        SELECT ?, 'refused', number, ordinal, NULL, journaled_utc_ns, before, link, body
        FROM refused WHERE number = ?""",
    "unread": """INSERT INTO quarantine
        (found_utc_ns, shelf, number, ordinal, lane, journaled_utc_ns, before, link, body)
        SELECT ?, 'unread', number, ordinal, NULL, journaled_utc_ns, before, link, body
        FROM unread WHERE number = ?""",
}

PENDING = """
    SELECT 'entry', number, ordinal, lane, journaled_utc_ns, before, entry.link, body
    FROM outbox JOIN entry USING (number)
    WHERE outbox.link = ? AND rank = ? AND number > ? ORDER BY number LIMIT ?
"""

ENTRIES = """
    SELECT * FROM (
        SELECT 'entry', number, ordinal, lane, journaled_utc_ns, before, link, body FROM entry
        WHERE number >= :first ORDER BY number LIMIT :limit)
    UNION ALL SELECT * FROM (
        SELECT 'routine', number, ordinal, 'routine', journaled_utc_ns, before, link, body
        FROM routine WHERE number >= :first ORDER BY number LIMIT :limit)
    UNION ALL SELECT * FROM (
        SELECT 'refused', number, ordinal, 'refused', journaled_utc_ns, before, link, body
        FROM refused WHERE number >= :first ORDER BY number LIMIT :limit)
    UNION ALL SELECT * FROM (
        SELECT 'unread', number, ordinal, 'unread', journaled_utc_ns, before, link, body
        FROM unread WHERE number >= :first ORDER BY number LIMIT :limit)
    ORDER BY number LIMIT :limit
"""

ROWS_ALL = {"first": 0, "limit": -1}
"""What ENTRIES is asked with for all of them: SQLite takes a limit below zero for none."""

COUNT_ROWS = """
    SELECT lane, count(*) FROM entry GROUP BY lane
    UNION ALL SELECT 'routine', count(*) FROM routine
    UNION ALL SELECT 'refused', count(*) FROM refused
    UNION ALL SELECT 'unread', count(*) FROM unread
"""

COUNT_QUARANTINE = "SELECT count(*) FROM quarantine"

# The newest word of each incident.

SET_STANDING = """
    INSERT INTO standing (incident, number, revision, gone) VALUES (?, ?, ?, ?)
    ON CONFLICT (incident) DO UPDATE
        SET number = excluded.number, revision = excluded.revision, gone = excluded.gone
        WHERE excluded.revision >= standing.revision
"""

LIMIT_STANDING = """
    DELETE FROM standing WHERE gone = ?1 AND number IN
        (SELECT number FROM standing WHERE gone = ?1 ORDER BY number DESC LIMIT -1 OFFSET ?2)
"""

TRIM_STANDING = """
    DELETE FROM standing WHERE gone AND NOT EXISTS
        (SELECT 1 FROM entry WHERE entry.number = standing.number)
"""

STANDING = """
    SELECT incident, revision, gone, standing.number, ordinal, lane, journaled_utc_ns, before, link,
        body
    FROM standing LEFT JOIN entry USING (number) WHERE incident > ? ORDER BY incident LIMIT ?
"""

STOOD = "SELECT number FROM standing"

# What rooms remember.

REMEMBER = """
    INSERT INTO remembered (name, proof, body) VALUES (?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET proof = excluded.proof, body = excluded.body
"""

FORGET = "DELETE FROM remembered WHERE name = ?"

REMEMBERED = "SELECT name, proof, body FROM remembered ORDER BY name LIMIT ?"

HEAD = """
    SELECT epoch, station, created_utc_ns, number_last, chained_after, link_last, trim_last,
        trim_link FROM journal
"""

STATION = "SELECT station FROM journal"

SEAL = "SELECT seal FROM journal"

NUMBER_LAST = "SELECT number_last FROM journal"

SHELVES = "SELECT name, ordinal_last, ordinal_gone, number_gone, link_gone FROM shelf"

INSERT_HEAD = """
    INSERT INTO journal (only_row, epoch, station, created_utc_ns, number_last, chained_after,
        link_last, trim_last, trim_link, seal, layout)
    VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

SET_HEAD = """
    UPDATE journal SET number_last = ?, link_last = ?, trim_last = ?, trim_link = ?, seal = ?
"""

SET_SHELF = """
    UPDATE shelf SET ordinal_last = ?, ordinal_gone = ?, number_gone = ?, link_gone = ?
    WHERE name = ?
"""

TRIMS = """
    SELECT place, ordinal_first, ordinal_last, number_first, number_last, trimmed_utc_ns, anchor,
        before, link FROM trim ORDER BY place
"""

DAMAGED = """
    SELECT DISTINCT number FROM quarantine
    WHERE typeof(number) = 'integer' AND number BETWEEN ? AND ? ORDER BY number LIMIT ?
"""

QUARANTINED = "SELECT shelf, number, ordinal FROM quarantine ORDER BY place"

LOOSE = """
    SELECT count(*) FROM outbox WHERE NOT EXISTS
        (SELECT 1 FROM entry WHERE entry.number = outbox.number)
"""

LAYOUT = "SELECT layout FROM journal"

TABLES = """
    SELECT name, sql FROM sqlite_schema
    WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name
"""

HAS_LAYOUT = "SELECT count(*) FROM pragma_table_info('journal') WHERE name = 'layout'"

COUNT_OWN_TABLES = """
    SELECT count(*) FROM sqlite_schema WHERE name IN ('journal', 'entry', 'outbox', 'routine')
"""

COUNT_NUMBERED = """
    SELECT (SELECT count(*) FROM entry) + (SELECT count(*) FROM routine)
        + (SELECT count(*) FROM refused) + (SELECT count(*) FROM unread)
"""

ASIDE = "SELECT name, told FROM aside ORDER BY name"

NOTE_ASIDE = "INSERT INTO aside (name, found_utc_ns, told) VALUES (?, ?, ?)"

APPLICATION = "PRAGMA application_id"

VERSION = "PRAGMA user_version"

COUNT_TABLES = "SELECT count(*) FROM sqlite_schema"

CHECK = "PRAGMA quick_check"

CHECK_ALL = "PRAGMA integrity_check(20)"

WRITE_AHEAD = "PRAGMA journal_mode = WAL"

SET_UP = (
    "PRAGMA synchronous = FULL",  # what is committed survives a power cut, whatever the lane
    "PRAGMA journal_size_limit = 67108864",  # the log's file is cut back to 64 MB after a burst
)

EMPTY_LOG = "PRAGMA wal_checkpoint(TRUNCATE)"

BEGIN = "BEGIN IMMEDIATE"

BEGIN_LOOK = "BEGIN DEFERRED"

COMMIT = "COMMIT"

SAVEPOINT = "SAVEPOINT chore"

ROLL_BACK = "ROLLBACK TO chore"

RELEASE = "RELEASE chore"
