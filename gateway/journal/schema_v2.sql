-- The journal, version 2: rows prove themselves. What a link is, gateway/journal/chain.py says;
-- its functions chain_seed, row_link and first_seal are known here under these names.
BEGIN IMMEDIATE;

PRAGMA user_version = 2;

-- The newest end of the chain, and a checksum of this row and of the table `shelf`.
ALTER TABLE journal ADD COLUMN chained_after INTEGER NOT NULL DEFAULT 0;  -- no chain up to here
ALTER TABLE journal ADD COLUMN link_last BLOB NOT NULL DEFAULT x'';
ALTER TABLE journal ADD COLUMN trim_last INTEGER NOT NULL DEFAULT 0;
ALTER TABLE journal ADD COLUMN trim_link BLOB NOT NULL DEFAULT x'';
ALTER TABLE journal ADD COLUMN seal BLOB NOT NULL DEFAULT x'';

UPDATE journal SET
    chained_after = number_last,
    link_last = chain_seed(epoch),
    trim_link = chain_seed(epoch),
    seal = first_seal(epoch, station, created_utc_ns, number_last);

-- `ordinal` counts the rows of a table, `before` is the link of the row with the number before,
-- wherever that one stands, and `link` is the row's own. Rows of version 1 have no chain: their
-- ordinal is 0, `before` is the seed of the epoch, and their checksum is of the day of this change.
ALTER TABLE entry ADD COLUMN ordinal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE entry ADD COLUMN before BLOB NOT NULL DEFAULT x'';
ALTER TABLE entry ADD COLUMN link BLOB NOT NULL DEFAULT x'';
ALTER TABLE routine ADD COLUMN ordinal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE routine ADD COLUMN before BLOB NOT NULL DEFAULT x'';
ALTER TABLE routine ADD COLUMN link BLOB NOT NULL DEFAULT x'';
ALTER TABLE refused ADD COLUMN ordinal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE refused ADD COLUMN before BLOB NOT NULL DEFAULT x'';
ALTER TABLE refused ADD COLUMN link BLOB NOT NULL DEFAULT x'';
ALTER TABLE unread ADD COLUMN ordinal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE unread ADD COLUMN before BLOB NOT NULL DEFAULT x'';
ALTER TABLE unread ADD COLUMN link BLOB NOT NULL DEFAULT x'';

UPDATE entry SET
    before = (SELECT link_last FROM journal),
    link = row_link((SELECT link_last FROM journal), number, 0, lane, journaled_utc_ns, body);
UPDATE routine SET
    before = (SELECT link_last FROM journal),
    link = row_link((SELECT link_last FROM journal), number, 0, 'routine', journaled_utc_ns, body);
UPDATE refused SET
    before = (SELECT link_last FROM journal),
    link = row_link((SELECT link_last FROM journal), number, 0, 'refused', journaled_utc_ns, body);
UPDATE unread SET
    before = (SELECT link_last FROM journal),
    link = row_link((SELECT link_last FROM journal), number, 0, 'unread', journaled_utc_ns, body);

-- How far each table of rows has come, and where what is left of a ring begins.
CREATE TABLE shelf (
    name TEXT PRIMARY KEY,
    ordinal_last INTEGER NOT NULL,
    ordinal_gone INTEGER NOT NULL,  -- of the newest row thrown out
    number_gone INTEGER NOT NULL,
    link_gone BLOB NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO shelf (name, ordinal_last, ordinal_gone, number_gone, link_gone) VALUES
    ('entry', 0, 0, 0, x''),
    ('routine', 0, 0, 0, x''),
    ('refused', 0, 0, 0, x''),
    ('unread', 0, 0, 0, x'');

-- Which entries were thrown away, when; one row for neighbours in the table. A chain of its own.
CREATE TABLE trim (
    place INTEGER PRIMARY KEY,
    ordinal_first INTEGER NOT NULL,
    ordinal_last INTEGER NOT NULL,
    number_first INTEGER NOT NULL,
    number_last INTEGER NOT NULL,
    trimmed_utc_ns INTEGER,
    anchor BLOB NOT NULL,  -- the link of the last row thrown away
    before BLOB NOT NULL,
    link BLOB NOT NULL
) STRICT;

-- Rows that are not as they were written, with what is left of them. They are never served.
CREATE TABLE quarantine (
    place INTEGER PRIMARY KEY,
    found_utc_ns INTEGER,
    shelf TEXT NOT NULL,
    number ANY,
    ordinal ANY,
    lane ANY,
    journaled_utc_ns ANY,
    before ANY,
    link ANY,
    body ANY
) STRICT;

COMMIT;
