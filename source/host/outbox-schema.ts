/** Tables of one session's outbox file. Version 1. */
export const outboxVersion = 1

export const outboxTables = `
create table if not exists session (
	id text primary key,
	account text not null,
	device text not null,
	agent text not null,
	epoch integer not null,
	seq integer not null,
	chain blob not null,
	signature blob,
	confirmed_seq integer not null,
	confirmed_chain blob not null,
	ended integer not null default 0
) strict;
create table if not exists rows (
	seq integer primary key,
	row text not null,
	chain blob not null
) strict;
create table if not exists operations (
	n integer primary key autoincrement,
	-- Due when every row up to this one is confirmed.
	after_seq integer not null,
	operation text not null
) strict;
create table if not exists requests (
	id text primary key,
	digest text not null,
	expires_at text not null,
	state text not null check (state in ('pending', 'decided', 'closed')),
	-- The decision that won, sealed with the epoch's key: nonce, then ciphertext.
	decision_epoch integer,
	decision blob
) strict;
create table if not exists commands (id text primary key) strict;
`
