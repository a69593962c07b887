-- The journal, version 3: what a link has yet to take proves itself, and so do the tables' own words.
-- owed_total and layout_of are functions of gateway/journal/chain.py, known here under these names.
BEGIN IMMEDIATE;

PRAGMA user_version = 3;

-- How much stands in the outbox of a link, and a sum over it. Where it differs from the outbox, one
-- of the two is damaged, and all that is kept is owed to that link again.
CREATE TABLE owed (
    link TEXT PRIMARY KEY,
    count INTEGER NOT NULL,
    total BLOB NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO owed (link, count, total)
    SELECT link, count(*), owed_total(link, json_group_array(json_array(rank, number)))
    FROM outbox GROUP BY link;

-- Damaged journals of this station that were set aside when this one was begun.
CREATE TABLE aside (
    name TEXT PRIMARY KEY,
    found_utc_ns INTEGER,
    told INTEGER NOT NULL  -- entries of it that are told again by this one
) STRICT, WITHOUT ROWID;

-- A checksum of the version and of the words of every table, so that a bit that fell over in them is
-- no release of the future and no missing table. Each later version writes it anew, at its end.
ALTER TABLE journal ADD COLUMN layout BLOB NOT NULL DEFAULT x'';

UPDATE journal SET layout = layout_of(3, (
    SELECT json_group_array(json_array(name, sql)) FROM (
        SELECT name, sql FROM sqlite_schema
        WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name)));

COMMIT;
