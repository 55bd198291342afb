-- People. With row numbers: a row of a table without them may fill a quarter of a page, and what is above goes
-- to a page of its own, so that a profile of 1.3 kB took 4. It came with version 5.
CREATE TABLE profile (
    tenant TEXT NOT NULL, person TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (tenant, person)
);
