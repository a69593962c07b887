"""Everything that is ever said to the database, apart from the schema.

Nothing here is put together from parts at run time; values travel as parameters.
"""

INSERT_ENTRY = "INSERT INTO entry (number, lane, journaled_utc_ns, body) VALUES (?, ?, ?, ?)"

INSERT_OUTBOX = "INSERT INTO outbox (link, rank, number) VALUES (?, ?, ?)"

INSERT_RING = {
    "routine": "INSERT INTO routine (number, journaled_utc_ns, body) VALUES (?, ?, ?)",
    "refused": "INSERT INTO refused (number, journaled_utc_ns, body) VALUES (?, ?, ?)",
    "unread": "INSERT INTO unread (number, journaled_utc_ns, body) VALUES (?, ?, ?)",
}

TRIM_RING = {
    "routine": """DELETE FROM routine WHERE number IN
        (SELECT number FROM routine ORDER BY number LIMIT ?)""",
    "refused": """DELETE FROM refused WHERE number IN
        (SELECT number FROM refused ORDER BY number LIMIT ?)""",
    "unread": """DELETE FROM unread WHERE number IN
        (SELECT number FROM unread ORDER BY number LIMIT ?)""",
}

NUMBER_LAST = "SELECT number_last FROM journal"

SET_NUMBER_LAST = "UPDATE journal SET number_last = ?"

STRIKE = "DELETE FROM outbox WHERE link = ? AND rank IN (0, 1, 2) AND number = ?"

PENDING = """
    SELECT number, lane, journaled_utc_ns, body FROM outbox JOIN entry USING (number)
    WHERE link = ? AND rank = ? AND number > ? ORDER BY number LIMIT ?
"""

ENTRIES = """
    SELECT * FROM (SELECT number, lane, journaled_utc_ns, body FROM entry
        WHERE number >= :first ORDER BY number LIMIT :limit)
    UNION ALL SELECT * FROM (SELECT number, 'routine', journaled_utc_ns, body FROM routine
        WHERE number >= :first ORDER BY number LIMIT :limit)
    UNION ALL SELECT * FROM (SELECT number, 'routine', journaled_utc_ns, body FROM refused
        WHERE number >= :first ORDER BY number LIMIT :limit)
    UNION ALL SELECT * FROM (SELECT number, 'routine', journaled_utc_ns, body FROM unread
        WHERE number >= :first ORDER BY number LIMIT :limit)
    ORDER BY number LIMIT :limit
"""

COUNT_ROWS = """
    SELECT lane, count(*) FROM entry GROUP BY lane
    UNION ALL SELECT 'routine', count(*) FROM routine
    UNION ALL SELECT 'refused', count(*) FROM refused
    UNION ALL SELECT 'unread', count(*) FROM unread
"""

COUNT_OUTBOX = "SELECT link, count(*) FROM outbox GROUP BY link"

APPLICATION = "PRAGMA application_id"

VERSION = "PRAGMA user_version"

COUNT_TABLES = "SELECT count(*) FROM sqlite_schema"

CHECK = "PRAGMA quick_check(1)"

WRITE_AHEAD = "PRAGMA journal_mode = WAL"

SET_UP = (
    "PRAGMA synchronous = FULL",  # what is committed survives a power cut, whatever the lane
    "PRAGMA journal_size_limit = 67108864",  # the log's file is cut back to 64 MB after a burst
)

IDENTITY = "SELECT epoch, station FROM journal"

INSERT_IDENTITY = """
    INSERT INTO journal (only_row, epoch, station, created_utc_ns, number_last)
    VALUES (1, ?, ?, ?, 0)
"""

BEGIN = "BEGIN IMMEDIATE"

COMMIT = "COMMIT"
