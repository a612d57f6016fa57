BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0006');
CREATE TABLE attempt_log (
	attempt TEXT NOT NULL, 
	content BLOB NOT NULL, 
	PRIMARY KEY (attempt)
);
CREATE TABLE checkpoint (
	size INTEGER NOT NULL, 
	root_hash TEXT NOT NULL, 
	note TEXT NOT NULL, 
	PRIMARY KEY (size)
);
INSERT INTO "checkpoint" VALUES(12,'dd3aa9ec947bbd39763a12138445b301100136de489296024667bf0f283579be','govcloud/shanxi/c9e3560a
12
3Tqp7JR7vTl2OhIThEWzARABNt5IkpYCRme/Dyg1eb4=

— govcloud/shanxi/c9e3560a w3zLZrwEXFjoDQzmU48z5HHqqp+zY06gZ0tcsVkGGYpwuGAdCIyFVTASnFrl7477DjovSf//I64MTWZh0UW2kqmbLgY=
');
INSERT INTO "checkpoint" VALUES(22,'876778b033b01baa0204519ba2d9bdbd69e30b2862c396d9c550c35886d6a750','govcloud/shanxi/c9e3560a
22
h2d4sDOwG6oCBFGbotm9vWnjCyhiw5bZxVDDWIbWp1A=

— govcloud/shanxi/c9e3560a w3zLZgPVh/68umVA0+Am+8RvHvuHggSTOgUbXut4wR7IKEVBQ3QUoZ8bAkCeEY89HzwgdgugvYHxoSm1AtQNXh4Mmgo=
');
CREATE TABLE "conflict" (
	subject_kind TEXT NOT NULL, 
	subject_id TEXT NOT NULL, 
	field TEXT NOT NULL, 
	chosen TEXT NOT NULL, 
	statements TEXT NOT NULL, 
	PRIMARY KEY (subject_kind, subject_id, field)
);
CREATE TABLE entity (
	kind TEXT NOT NULL, 
	entity_id TEXT NOT NULL, 
	department TEXT, 
	name TEXT, 
	body TEXT NOT NULL, 
	evidence TEXT NOT NULL, 
	members TEXT NOT NULL, 
	PRIMARY KEY (kind, entity_id)
);
CREATE TABLE finding (
	finding_id TEXT NOT NULL, 
	rule_id TEXT NOT NULL, 
	subject_id TEXT NOT NULL, 
	status TEXT NOT NULL, 
	first_seen_on TEXT NOT NULL, 
	last_seen_on TEXT NOT NULL, 
	resolved_on TEXT, 
	body TEXT NOT NULL, 
	PRIMARY KEY (finding_id)
);
CREATE TABLE flow (
	client_id TEXT NOT NULL, 
	server_id TEXT NOT NULL, 
	port INTEGER NOT NULL, 
	client_process TEXT, 
	server_process TEXT, 
	traffic TEXT NOT NULL, 
	first_seen_at TEXT NOT NULL, 
	last_seen_at TEXT NOT NULL, 
	samples INTEGER NOT NULL, 
	statement_id INTEGER NOT NULL, 
	PRIMARY KEY (client_id, server_id, port)
);
CREATE TABLE gate (
	gate_id TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	system_id TEXT NOT NULL, 
	opened_at TEXT NOT NULL, 
	used_at TEXT, 
	body TEXT NOT NULL, 
	PRIMARY KEY (gate_id)
);
CREATE TABLE gate_answer (
	gate_id TEXT NOT NULL, 
	actor_key TEXT NOT NULL, 
	at TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (gate_id, actor_key)
);
CREATE TABLE handover (
	handover_id TEXT NOT NULL, 
	system_id TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (handover_id)
);
CREATE TABLE host_key (
	host TEXT NOT NULL, 
	port INTEGER NOT NULL, 
	key_type TEXT NOT NULL, 
	key_base64 TEXT NOT NULL, 
	approved_by TEXT NOT NULL, 
	approved_at TEXT NOT NULL, 
	PRIMARY KEY (host, port, key_type)
);
CREATE TABLE import_batch (
	batch_no INTEGER NOT NULL, 
	batch_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	source TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	at TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (batch_no), 
	UNIQUE (batch_id)
);
CREATE TABLE ledger (
	seq INTEGER NOT NULL, 
	canonical TEXT NOT NULL, 
	leaf_hash TEXT NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "ledger" VALUES(0,'{"actor":"张示例","at":"2026-11-23T16:42:14.048281Z","attempt":null,"body":{"catalog":"sample-provincial","jurisdiction":["SX19","SX17"],"site":"shanxi"},"kind":"init","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":0,"step":null,"subject_id":null,"tool_version":"0.1.0"}','5796e066762075c6a6e693861518a36b06246668e1317d0d34f2d73d565c6271');
INSERT INTO "ledger" VALUES(1,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":0,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":1,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','57360a5c7ca37b18ea56262ed4384545ad1bc5d6a071698119f08ba2be06ca0c');
INSERT INTO "ledger" VALUES(2,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":1,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":2,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','25975ca6087363f618494ccb557bf7854215efcc699b7dde50fae42591af795d');
INSERT INTO "ledger" VALUES(3,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":2,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":3,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','b6d973c3057122ab4b9528ed2e164256de8a5fe93ee8b4536aa0a8e3173cc32b');
INSERT INTO "ledger" VALUES(4,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":3,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":4,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','684ce0d399fed51594ffac27e620385a8ea23fe2fc2faf22c1a11b0c6525547d');
INSERT INTO "ledger" VALUES(5,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":4,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":5,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','17181ff1d1e9e3b372aa5bab135c5f6ac777e45cd6b6428833bf736786fc5d02');
INSERT INTO "ledger" VALUES(6,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":5,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":6,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','ae6eab039b8752a1dcae2797c77a94e85dd99346e1d22c9b5fdf15e4c43550c9');
INSERT INTO "ledger" VALUES(7,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":6,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":7,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','2350f9d74bac4ed58a945b0718fb454b2eabb3f9c54fd53c0dddcfda6ad547fb');
INSERT INTO "ledger" VALUES(8,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":7,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":8,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','f826dd631d6c3163a9e590c66a2b443c8d0e56889a6c91b3ce85a76faca2f0f6');
INSERT INTO "ledger" VALUES(9,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":8,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":9,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','71bf709ce8cb1c1490069ed8646682d17c11ca8db6bb64600bbed202675aee63');
INSERT INTO "ledger" VALUES(10,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":9,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":10,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','3e3596b819cadafd8c99bcf405f802fd4009ff2a9ddfe250b02a01cc54b31ab9');
INSERT INTO "ledger" VALUES(11,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":10,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":11,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','44fc212a4a25bf4f71cd5eadd3fce80bb0185707ddf06561690d156a28ebcd80');
INSERT INTO "ledger" VALUES(12,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":11,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":12,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','b18a955d6c9008df892d5db48da773f65489840cf47cb367b50a831c7d40ba34');
INSERT INTO "ledger" VALUES(13,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":12,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":13,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','33568f3d87018d9e4b73be368fe2d444351782fa0699518227cfc412ab93fc4a');
INSERT INTO "ledger" VALUES(14,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":13,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":14,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','31bd3fb888b3ec5d8d5969b4abba83b644d1ca5c6da8471e9333f5f61a12c920');
INSERT INTO "ledger" VALUES(15,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":14,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":15,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','7d4027bb4ee0960b0505e15a7b7d9224e8fc3a9e8ebd4b67e1835506b4637f0f');
INSERT INTO "ledger" VALUES(16,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":15,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":16,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','7b9dead09e2e24bebb2b00a8096477b75b75b974d42c4fcaf2d7afa7218184ac');
INSERT INTO "ledger" VALUES(17,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":16,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":17,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','751fee1f348fe3ac78124a40ed0faf4c1740c5be8424b9a551d8f5b49c126f6a');
INSERT INTO "ledger" VALUES(18,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":17,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":18,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','d38a19fae857525e8c12502bd58fb93f392647575bbfebe0aef6f2877f3a3e3d');
INSERT INTO "ledger" VALUES(19,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":18,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":19,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','9a4af625ba571e5965d9056ad2f3d90789274161bcc29ac91b19ff984f076d17');
INSERT INTO "ledger" VALUES(20,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":1,"body":{"n":19,"说明":"切换 𠮷"},"kind":"step","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":20,"step":"cutover","subject_id":null,"tool_version":"0.1.0"}','76469a23b71b11d101e0f67198741b2f18c442f4d4d9650079a8af95a4e0fe01');
INSERT INTO "ledger" VALUES(21,'{"actor":"张示例","at":"2026-03-07T14:00:00.000000Z","attempt":null,"body":{"folder":"bundle","records":21},"kind":"export","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":21,"step":null,"subject_id":null,"tool_version":"0.1.0"}','4d63297603800cea737eb19b68da3d575c97d64f1d70d8b3e473c7bc7febb244');
CREATE TABLE "plan" (
	plan_id TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	plan_hash TEXT NOT NULL, 
	what_if INTEGER DEFAULT '0' NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (plan_id)
);
CREATE TABLE plan_pin (
	pin_id TEXT NOT NULL, 
	system_id TEXT NOT NULL, 
	withdrawn INTEGER DEFAULT '0' NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (pin_id)
);
CREATE TABLE request (
	request_id TEXT NOT NULL, 
	department TEXT NOT NULL, 
	system_id TEXT, 
	catalog_id TEXT NOT NULL, 
	catalog_version TEXT NOT NULL, 
	applied_on TEXT NOT NULL, 
	checked_at TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (request_id)
);
CREATE TABLE resource (
	resource_id TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	system_id TEXT NOT NULL, 
	deleted_at TEXT, 
	body TEXT NOT NULL, 
	PRIMARY KEY (resource_id)
);
CREATE TABLE run (
	run_id TEXT NOT NULL, 
	plan_id TEXT, 
	scope_hash TEXT, 
	created_at TEXT NOT NULL, 
	created_by TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (run_id)
);
CREATE TABLE run_order (
	run_id TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	system_id TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (run_id, number)
);
CREATE TABLE run_system (
	run_id TEXT NOT NULL, 
	system_id TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	zone TEXT, 
	wait_kind TEXT, 
	leg INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (run_id, system_id)
);
CREATE TABLE snapshot (
	label TEXT NOT NULL, 
	batch_no INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	PRIMARY KEY (label)
);
CREATE TABLE statement (
	statement_id INTEGER NOT NULL, 
	batch_no INTEGER NOT NULL, 
	subject_kind TEXT NOT NULL, 
	subject_id TEXT NOT NULL, 
	source TEXT NOT NULL, 
	place TEXT NOT NULL, 
	observed_at TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (statement_id)
);
CREATE TABLE step_attempt (
	run_id TEXT NOT NULL, 
	system_id TEXT NOT NULL, 
	step TEXT NOT NULL, 
	phase TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	token INTEGER NOT NULL, 
	executor TEXT NOT NULL, 
	machine_id TEXT NOT NULL, 
	state TEXT NOT NULL, 
	claimed_at TEXT NOT NULL, 
	heartbeat_at TEXT NOT NULL, 
	status TEXT, 
	finished_at TEXT, 
	body TEXT NOT NULL, 
	PRIMARY KEY (run_id, system_id, step, phase, number)
);
CREATE TABLE waiver (
	waiver_id TEXT NOT NULL, 
	finding_id TEXT NOT NULL, 
	valid_until TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (waiver_id)
);
CREATE TABLE worker (
	worker_id TEXT NOT NULL, 
	seen_at TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (worker_id)
);
CREATE INDEX ix_statement_subject ON statement (subject_id);
CREATE INDEX ix_flow_server ON flow (server_id);
CREATE INDEX ix_waiver_finding ON waiver (finding_id);
CREATE INDEX run_system_system ON run_system (system_id);
CREATE INDEX run_system_state ON run_system (state);
CREATE INDEX run_system_run_state ON run_system (run_id, state);
CREATE UNIQUE INDEX step_attempt_live ON step_attempt (system_id) WHERE finished_at IS NULL;
CREATE INDEX step_attempt_token ON step_attempt (system_id, token);
CREATE INDEX gate_run ON gate (run_id, system_id);
CREATE INDEX resource_run ON resource (run_id, system_id);
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'ledger is append-only'); END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'ledger is append-only'); END;
CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END;
CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END;
CREATE TRIGGER ledger_next_only BEFORE INSERT ON ledger WHEN NEW.seq <> (SELECT coalesce(max(seq) + 1, 0) FROM ledger) BEGIN SELECT RAISE(ABORT, 'ledger is append-only: wrong number'); END;
CREATE TRIGGER statement_no_update BEFORE UPDATE ON statement BEGIN SELECT RAISE(ABORT, 'statement is append-only'); END;
CREATE TRIGGER statement_no_delete BEFORE DELETE ON statement BEGIN SELECT RAISE(ABORT, 'statement is append-only'); END;
COMMIT;
