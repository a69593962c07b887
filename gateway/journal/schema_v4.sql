-- The journal, version 4: which note is the newest word of each incident.
-- layout_of is a function of gateway/journal/chain.py, known here under this name.
BEGIN IMMEDIATE;

PRAGMA user_version = 4;

-- Only an index: the entry proves itself, and says which incident it is of and how it stands. Where
-- the two differ the row is damaged, and that incident is not taken up again.
CREATE TABLE standing (
    incident TEXT PRIMARY KEY,
    number INTEGER NOT NULL,  -- of the entry
    revision INTEGER NOT NULL,  -- an older word, journaled late, takes nobody's place
    gone INTEGER NOT NULL  -- 1 when it is off the board, and has to go from its topics
) STRICT, WITHOUT ROWID;

UPDATE journal SET layout = layout_of(4, (
    SELECT json_group_array(json_array(name, sql)) FROM (
        SELECT name, sql FROM sqlite_schema
        WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name)));

COMMIT;
