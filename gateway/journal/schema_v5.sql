-- The journal, version 5: what rooms remember beside the entries, to know it after a restart.
-- layout_of is a function of gateway/journal/chain.py, known here under this name.
BEGIN IMMEDIATE;

PRAGMA user_version = 5;

-- The newest word of each, and nothing of before. It is no entry: it is told to nobody, and what it
-- says can be lost without losing anything that was heard.
CREATE TABLE remembered (
    name TEXT PRIMARY KEY,
    proof BLOB NOT NULL,  -- a digest of the name and the body
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

UPDATE journal SET layout = layout_of(5, (
    SELECT json_group_array(json_array(name, sql)) FROM (
        SELECT name, sql FROM sqlite_schema
        WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name)));

COMMIT;
