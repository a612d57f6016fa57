PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES('0004');
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
INSERT INTO import_batch VALUES(1,'seed','import','示例普查表.xlsx','','2026-11-23T05:24:56.017314Z','操作员甲','{}');
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
INSERT INTO statement VALUES(1,1,'system','SL-OA-01','workbook','示例普查表.xlsx!系统!B2','2026-11-23T05:24:56.017314Z','{"values":{"name":"SL-OA-01","classified":false},"cells":{}}');
INSERT INTO statement VALUES(2,1,'system','SL-XF-02','workbook','示例普查表.xlsx!系统!B2','2026-11-23T05:24:56.017314Z','{"values":{"name":"SL-XF-02","classified":false},"cells":{}}');
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
INSERT INTO entity VALUES('system','SL-OA-01',NULL,'SL-OA-01','{"system_id":"SL-OA-01","name":"SL-OA-01","department":null,"office":null,"function":null,"lifecycle":null,"classified":false,"mlps_level":null,"mlps_filing_no":null,"hosting":null,"servers":[],"networks":[],"url":null,"in_directory":null,"shares_data":null,"users":null,"visits_per_year":null,"go_live_on":null,"stopped_on":null,"approval_body":null,"approved_on":null,"funding_source":null,"data_gib":null,"builder":null,"maintained_by":null,"contact":null,"criticality":null,"disposition":null,"environment":null,"build_mode":null,"build_basis":null,"budget_project":null,"budget_years":null,"scope_region":null,"scope_users":null,"monthly_users":null,"visits_basis":null,"database":null,"middleware":null,"data_rows":null,"data_growth_gib":null,"data_update":null,"data_dictionary":null,"uses_foreign_data":null,"sharing_scope":null,"dedicated_address":null,"mlps_filed_on":null,"mlps_filing_authority":null,"mlps_assessed_on":null,"mlps_score":null,"crypto_evaluated_on":null,"crypto_level":null,"developer_contact":null,"maintenance_ends_on":null,"last_changed_on":null,"zombie_declared":null,"detached_from_process":null,"replaceable":null,"replaced_by":null,"resources_idle":null,"updates_stopped":null,"narrow_use":null,"rare_use":null,"cleanup_on":null,"deferral_reason":null,"data_catalogued":null,"controllable":null,"risk_assessed_on":null,"emergency_plan_on":null,"drilled_on":null}','{"name":1,"classified":1}','[]');
INSERT INTO entity VALUES('system','SL-XF-02',NULL,'SL-XF-02','{"system_id":"SL-XF-02","name":"SL-XF-02","department":null,"office":null,"function":null,"lifecycle":null,"classified":false,"mlps_level":null,"mlps_filing_no":null,"hosting":null,"servers":[],"networks":[],"url":null,"in_directory":null,"shares_data":null,"users":null,"visits_per_year":null,"go_live_on":null,"stopped_on":null,"approval_body":null,"approved_on":null,"funding_source":null,"data_gib":null,"builder":null,"maintained_by":null,"contact":null,"criticality":null,"disposition":null,"environment":null,"build_mode":null,"build_basis":null,"budget_project":null,"budget_years":null,"scope_region":null,"scope_users":null,"monthly_users":null,"visits_basis":null,"database":null,"middleware":null,"data_rows":null,"data_growth_gib":null,"data_update":null,"data_dictionary":null,"uses_foreign_data":null,"sharing_scope":null,"dedicated_address":null,"mlps_filed_on":null,"mlps_filing_authority":null,"mlps_assessed_on":null,"mlps_score":null,"crypto_evaluated_on":null,"crypto_level":null,"developer_contact":null,"maintenance_ends_on":null,"last_changed_on":null,"zombie_declared":null,"detached_from_process":null,"replaceable":null,"replaced_by":null,"resources_idle":null,"updates_stopped":null,"narrow_use":null,"rare_use":null,"cleanup_on":null,"deferral_reason":null,"data_catalogued":null,"controllable":null,"risk_assessed_on":null,"emergency_plan_on":null,"drilled_on":null}','{"name":2,"classified":2}','[]');
CREATE TABLE IF NOT EXISTS "conflict" (
	subject_kind TEXT NOT NULL, 
	subject_id TEXT NOT NULL, 
	field TEXT NOT NULL, 
	chosen TEXT NOT NULL, 
	statements TEXT NOT NULL, 
	PRIMARY KEY (subject_kind, subject_id, field)
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
CREATE TABLE snapshot (
	label TEXT NOT NULL, 
	batch_no INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	PRIMARY KEY (label)
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
INSERT INTO host_key VALUES('127.0.0.1',46017,'ssh-ed25519','AAAAC3NzaC1lZDI1NTE5AAAAIFgSt1JOkr9Oywe+VthIqfA8EMEpLrHYdVfIzdHSdMqM','审批人乙','2026-11-23T05:24:56.027114Z');
INSERT INTO host_key VALUES('127.0.0.1',38547,'ssh-ed25519','AAAAC3NzaC1lZDI1NTE5AAAAIA8h8hluCuXCKW02fg+bJy0jjoT1v8CwoxPrwYtX8yFn','审批人乙','2026-11-23T05:24:56.028807Z');
INSERT INTO host_key VALUES('127.0.0.1',42731,'ssh-ed25519','AAAAC3NzaC1lZDI1NTE5AAAAIIA+z2v10iGu5h2X33KCs4aR0BkI1RmJI4NhHfwJ6EpH','审批人乙','2026-11-23T05:24:56.029247Z');
INSERT INTO host_key VALUES('127.0.0.1',40181,'ssh-ed25519','AAAAC3NzaC1lZDI1NTE5AAAAIAJzucgc4CP5YC1ZknaCjQLadMs5wD18opXFOlLiUOfJ','审批人乙','2026-11-23T05:24:56.029563Z');
INSERT INTO host_key VALUES('127.0.0.1',46599,'ssh-ed25519','AAAAC3NzaC1lZDI1NTE5AAAAIBBz3HptgTTR++C9V5SMlBls4tZdfOkgDwZkJsQN5loB','审批人乙','2026-11-23T05:24:56.029983Z');
INSERT INTO host_key VALUES('127.0.0.1',42427,'ssh-ed25519','AAAAC3NzaC1lZDI1NTE5AAAAIBLm5j8kULbpLkYOwzFv6vSuRw5ezlrs7/icJMgH+9xR','审批人乙','2026-11-23T05:24:56.030286Z');
INSERT INTO host_key VALUES('127.0.0.1',43569,'ssh-ed25519','AAAAC3NzaC1lZDI1NTE5AAAAIMKbVgedHcgo67NnDWP5wm5VPThITdDh5NmSXNNbUnPJ','审批人乙','2026-11-23T05:24:56.030567Z');
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
CREATE TABLE waiver (
	waiver_id TEXT NOT NULL, 
	finding_id TEXT NOT NULL, 
	valid_until TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (waiver_id)
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
CREATE TABLE IF NOT EXISTS "plan" (
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
CREATE TABLE run (
	run_id TEXT NOT NULL, 
	status TEXT NOT NULL, 
	plan_hash TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	created_by TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (run_id)
);
INSERT INTO run VALUES('r20261123-1','waiting_approval','0371b22a697576e694d5fbbbb923bf1830d3f1c5109d12006bc805e053c79774','2026-11-23T05:24:57.088361Z','操作员甲','{"run_id":"r20261123-1","status":"waiting_approval","systems":["SL-XF-02"],"specs":{"SL-XF-02":{"system_id":"SL-XF-02","source":{"host":"petition-01","service":{"script":"/srv/lab-b/lab/.govcloud-lab/live/petition-01/srv/petition/app/ctl","systemd":null},"database":{"host":"127.0.0.1","port":40175,"name":"petition","user":"petition","bin":"/srv/lab-b/lab/.govcloud-lab/live/petition-01/opt/pgsql/bin","password_file":"/srv/lab-b/lab/.govcloud-lab/live/petition-01/srv/petition/db.pass","data_dir":null,"run_as_uid":null},"state_dir":"/var/lib/govcloud"},"target":{"host":"cloud-02","service":{"script":"/srv/lab-b/lab/.govcloud-lab/live/cloud-02/srv/petition/app/ctl","systemd":null},"database":{"host":"127.0.0.1","port":45919,"name":"petition","user":"petition","bin":"/srv/lab-b/lab/.govcloud-lab/live/cloud-02/opt/pgsql/bin","password_file":"/srv/lab-b/lab/.govcloud-lab/live/cloud-02/srv/petition/db.pass","data_dir":"/srv/lab-b/lab/.govcloud-lab/live/cloud-02/srv/pgdata","run_as_uid":1000},"state_dir":"/srv/lab-b/lab/.govcloud-lab/live/cloud-02/var/lib/govcloud"},"files":[{"source":"/srv/lab-b/lab/.govcloud-lab/live/petition-01/srv/petition/app","target":"/srv/lab-b/lab/.govcloud-lab/live/cloud-02/srv/petition/app"},{"source":"/srv/lab-b/lab/.govcloud-lab/live/petition-01/srv/petition/uploads","target":"/srv/lab-b/lab/.govcloud-lab/live/cloud-02/srv/petition/uploads"}],"entry":{"host":"entry-01","file":"/srv/lab-b/lab/.govcloud-lab/live/entry-01/srv/entry/upstreams.json","name":"petition","source":"http://127.0.0.1:33397","target":"http://127.0.0.1:36303","url":"http://127.0.0.1:34723/petition","served_by_header":"X-Served-By"},"verify":[{"path":"/health","status":200,"contains":null},{"path":"/selftest","status":200,"contains":"\"ok\": true"}],"on_failure":"rollback","deadline_min":240}},"scope":{"spec:SL-XF-02":"76b4a6507e285cd44b3b916cdc12eb4aaf9dbf0c92f71a1b2370e027ab30fe49","hosts":"545cf25e7a6b90ba251e23f5fc86a611b8643d6773721e444a0bb4a9078a002e","playbooks":"f7449de2ad0a24eb3ebc374ed407c48ea9e418ce4759ca8dffecbf2eaef4d458"},"scope_hash":"0371b22a697576e694d5fbbbb923bf1830d3f1c5109d12006bc805e053c79774","plan_id":null,"wave":null,"created_at":"2026-11-23T05:24:57.088361Z","created_by":"操作员甲","outcomes":{},"decisions":[]}');
INSERT INTO run VALUES('r20261123-2','needs_person','e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80','2026-11-23T05:25:04.935257Z','操作员甲','{"run_id":"r20261123-2","status":"needs_person","systems":["SL-OA-01"],"specs":{"SL-OA-01":{"system_id":"SL-OA-01","source":{"host":"oa-01","service":{"script":"/srv/lab-b/lab/.govcloud-lab/live/oa-01/srv/oa/app/ctl","systemd":null},"database":{"host":"127.0.0.1","port":38531,"name":"oa","user":"oa","bin":"/srv/lab-b/lab/.govcloud-lab/live/oa-01/opt/pgsql/bin","password_file":"/srv/lab-b/lab/.govcloud-lab/live/oa-01/srv/oa/db.pass","data_dir":null,"run_as_uid":null},"state_dir":"/var/lib/govcloud"},"target":{"host":"cloud-01","service":{"script":"/srv/lab-b/lab/.govcloud-lab/live/cloud-01/srv/oa/app/ctl","systemd":null},"database":{"host":"127.0.0.1","port":37029,"name":"oa","user":"oa","bin":"/srv/lab-b/lab/.govcloud-lab/live/cloud-01/opt/pgsql/bin","password_file":"/srv/lab-b/lab/.govcloud-lab/live/cloud-01/srv/oa/db.pass","data_dir":"/srv/lab-b/lab/.govcloud-lab/live/cloud-01/srv/pgdata","run_as_uid":1000},"state_dir":"/srv/lab-b/lab/.govcloud-lab/live/cloud-01/var/lib/govcloud"},"files":[{"source":"/srv/lab-b/lab/.govcloud-lab/live/oa-01/srv/oa/app","target":"/srv/lab-b/lab/.govcloud-lab/live/cloud-01/srv/oa/app"},{"source":"/srv/lab-b/lab/.govcloud-lab/live/oa-01/srv/oa/uploads","target":"/srv/lab-b/lab/.govcloud-lab/live/cloud-01/srv/oa/uploads"}],"entry":{"host":"entry-01","file":"/srv/lab-b/lab/.govcloud-lab/live/entry-01/srv/entry/upstreams.json","name":"oa","source":"http://127.0.0.1:44177","target":"http://127.0.0.1:33635","url":"http://127.0.0.1:34723/oa","served_by_header":"X-Served-By"},"verify":[{"path":"/health","status":200,"contains":null},{"path":"/selftest","status":200,"contains":"\"ok\": true"}],"on_failure":"rollback","deadline_min":240}},"scope":{"spec:SL-OA-01":"9e755e82941207d42e93c7c48c11e800bdf1b7f328fca2f4ee334b59f8b62f40","hosts":"0d487acd1ed99715fdf6f2514f0d083a84bc2aee338565d076d3587cc3f74e96","playbooks":"f7449de2ad0a24eb3ebc374ed407c48ea9e418ce4759ca8dffecbf2eaef4d458"},"scope_hash":"e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80","plan_id":null,"wave":null,"created_at":"2026-11-23T05:25:04.935257Z","created_by":"操作员甲","outcomes":{},"decisions":[]}');
CREATE TABLE approval (
	run_id TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	plan_hash TEXT NOT NULL, 
	at TEXT NOT NULL, 
	decision TEXT NOT NULL, 
	reason TEXT, 
	PRIMARY KEY (run_id, actor)
);
INSERT INTO approval VALUES('r20261123-2','审批人乙','e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80','2026-11-23T05:25:12.811601Z','approved',NULL);
CREATE TABLE attempt (
	run_id TEXT NOT NULL, 
	system_id TEXT NOT NULL, 
	step TEXT NOT NULL, 
	attempt INTEGER NOT NULL, 
	status TEXT NOT NULL, 
	executor TEXT NOT NULL, 
	claimed_at TEXT NOT NULL, 
	finished_at TEXT, 
	body TEXT, 
	PRIMARY KEY (run_id, system_id, step, attempt)
);
INSERT INTO attempt VALUES('r20261123-1','SL-XF-02','precheck',1,'ok','r20261123-1@vm','2026-11-23T05:24:58.796493Z','2026-11-23T05:25:03.417979Z','{"run_id":"r20261123-1","system_id":"SL-XF-02","step":"precheck","number":1,"executor":"r20261123-1@vm","claimed_at":"2026-11-23T05:24:58.796493Z","result":{"status":"ok","reasons":[],"started_at":"2026-11-23T05:24:58.982540Z","finished_at":"2026-11-23T05:25:03.417979Z","expected":5,"proven":5,"evidence_sha256":"594e2ab8d232941ea6f49b73b98269c1fab1cbdaea6d252349fa6da477a0e422","facts":{"database_bytes":7814167,"http_checks":2,"source_bytes":1603817}}}');
INSERT INTO attempt VALUES('r20261123-2','SL-OA-01','precheck',1,'ok','r20261123-2@vm','2026-11-23T05:25:06.489847Z','2026-11-23T05:25:11.018567Z','{"run_id":"r20261123-2","system_id":"SL-OA-01","step":"precheck","number":1,"executor":"r20261123-2@vm","claimed_at":"2026-11-23T05:25:06.489847Z","result":{"status":"ok","reasons":[],"started_at":"2026-11-23T05:25:06.692826Z","finished_at":"2026-11-23T05:25:11.018567Z","expected":5,"proven":5,"evidence_sha256":"7ad183eee8eeca3d80bc7e1d1fb3a773993dfe7e0a216749da5a45784c991eec","facts":{"database_bytes":8494103,"http_checks":2,"source_bytes":12613832}}}');
INSERT INTO attempt VALUES('r20261123-2','SL-OA-01','replicate',1,'ok','r20261123-2@vm','2026-11-23T05:25:14.912422Z','2026-11-23T05:25:24.287660Z','{"run_id":"r20261123-2","system_id":"SL-OA-01","step":"replicate","number":1,"executor":"r20261123-2@vm","claimed_at":"2026-11-23T05:25:14.912422Z","result":{"status":"ok","reasons":[],"started_at":"2026-11-23T05:25:15.111486Z","finished_at":"2026-11-23T05:25:24.287660Z","expected":8,"proven":8,"evidence_sha256":"20eaeceade0997bed867164e1a252be9b72c2b4a7bc130d860c52bb59e518a4c","facts":{"bytes":12646400,"database_bytes":66229,"files":25,"removed":0,"sent":25}}}');
INSERT INTO attempt VALUES('r20261123-2','SL-OA-01','freeze',1,'ok','r20261123-2@vm','2026-11-23T05:25:24.574910Z','2026-11-23T05:25:28.696092Z','{"run_id":"r20261123-2","system_id":"SL-OA-01","step":"freeze","number":1,"executor":"r20261123-2@vm","claimed_at":"2026-11-23T05:25:24.574910Z","result":{"status":"ok","reasons":[],"started_at":"2026-11-23T05:25:24.772610Z","finished_at":"2026-11-23T05:25:28.696092Z","expected":4,"proven":4,"evidence_sha256":"bb4fa48ff95966aef63e581abbd58d0a3f15256210485125ba4655cf7a389c85","facts":{"sessions_closed":1}}}');
INSERT INTO attempt VALUES('r20261123-2','SL-OA-01','final_sync',1,'ok','r20261123-2@vm','2026-11-23T05:25:28.815114Z','2026-11-23T05:25:36.331127Z','{"run_id":"r20261123-2","system_id":"SL-OA-01","step":"final_sync","number":1,"executor":"r20261123-2@vm","claimed_at":"2026-11-23T05:25:28.815114Z","result":{"status":"ok","reasons":[],"started_at":"2026-11-23T05:25:29.044037Z","finished_at":"2026-11-23T05:25:36.331127Z","expected":8,"proven":8,"evidence_sha256":"c5bb7b31cc0b54767b1943060c3cdfecb5e50b65e42b270937b85c600d9d9188","facts":{"bytes":0,"files":25,"removed":0,"sent":0}}}');
INSERT INTO attempt VALUES('r20261123-2','SL-OA-01','verify_data',1,'ok','r20261123-2@vm','2026-11-23T05:25:36.460785Z','2026-11-23T05:25:41.899672Z','{"run_id":"r20261123-2","system_id":"SL-OA-01","step":"verify_data","number":1,"executor":"r20261123-2@vm","claimed_at":"2026-11-23T05:25:36.460785Z","result":{"status":"ok","reasons":[],"started_at":"2026-11-23T05:25:36.615499Z","finished_at":"2026-11-23T05:25:41.899672Z","expected":6,"proven":6,"evidence_sha256":"f047b9b711b2611fd5c326d88dcb717ea83086c031c985467350bbbdb0556966","facts":{"bytes":12613832,"database_sha256":"6050e4c4089dd000e3f30471da383bfeeb9d70a2d7b1e20343010b23a4c5239f","files":25,"rows":2020,"sha256 /srv/lab-b/lab/.govcloud-lab/live/oa-01/srv/oa/app":"afd46584cde0487ba4ab4abcc49af46280d8b3c8115409b6e7b0f28f73b7f422","sha256 /srv/lab-b/lab/.govcloud-lab/live/oa-01/srv/oa/uploads":"f0b68be44250945a84c4719979894016bde4e88e6427caae4ab154323997cc71","tables":2}}}');
INSERT INTO attempt VALUES('r20261123-2','SL-OA-01','cutover',1,'unknown','r20261123-2@vm','2026-11-23T05:25:42.092425Z','2026-11-23T05:25:43.476892Z','{"run_id":"r20261123-2","system_id":"SL-OA-01","step":"cutover","number":1,"executor":"r20261123-2@vm","claimed_at":"2026-11-23T05:25:42.092425Z","result":{"status":"unknown","reasons":[{"zh":"执行中断，结果不明","en":"Interrupted: the outcome is unknown"}],"started_at":"2026-11-23T05:25:42.097395Z","finished_at":"2026-11-23T05:25:43.476892Z","expected":0,"proven":0,"evidence_sha256":"6bf8763f0834bf30f1a5e2b26673d58ce183b9dd532e0886faa33c37d0a29ed5","facts":{}}}');
CREATE TABLE handover (
	handover_id TEXT NOT NULL, 
	system_id TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	body TEXT NOT NULL, 
	PRIMARY KEY (handover_id)
);
CREATE TABLE ledger (
	seq INTEGER NOT NULL, 
	canonical TEXT NOT NULL, 
	leaf_hash TEXT NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO ledger VALUES(0,'{"actor":"操作员甲","at":"2026-11-23T05:24:52.810123Z","attempt":null,"body":{"catalog":"sample-provincial","jurisdiction":["SX19","SX17"],"site":"shanxi"},"kind":"init","phase":"event","plan_hash":null,"project_id":null,"run_id":null,"seq":0,"step":null,"subject_id":null,"tool_version":"0.1.0"}','d310a739e2e53bee1e6198fa9e7c59a6214ed37194b2cf6d9dc944f5a07e0473');
INSERT INTO ledger VALUES(1,'{"actor":"操作员甲","at":"2026-11-23T05:24:57.091128Z","attempt":null,"body":{"scope":{"hosts":"545cf25e7a6b90ba251e23f5fc86a611b8643d6773721e444a0bb4a9078a002e","playbooks":"f7449de2ad0a24eb3ebc374ed407c48ea9e418ce4759ca8dffecbf2eaef4d458","spec:SL-XF-02":"76b4a6507e285cd44b3b916cdc12eb4aaf9dbf0c92f71a1b2370e027ab30fe49"},"status":"registered","systems":["SL-XF-02"]},"kind":"run","phase":"event","plan_hash":"0371b22a697576e694d5fbbbb923bf1830d3f1c5109d12006bc805e053c79774","project_id":null,"run_id":"r20261123-1","seq":1,"step":null,"subject_id":"r20261123-1","tool_version":"0.1.0"}','ee1580d02e855b38d02e0a4075bea7f9fc7bc26f9fc0e6c871bd0e5943349e09');
INSERT INTO ledger VALUES(2,'{"actor":"操作员甲","at":"2026-11-23T05:24:58.798303Z","attempt":1,"body":{"executor":"r20261123-1@vm"},"kind":"step","phase":"intent","plan_hash":"0371b22a697576e694d5fbbbb923bf1830d3f1c5109d12006bc805e053c79774","project_id":null,"run_id":"r20261123-1","seq":2,"step":"precheck","subject_id":"SL-XF-02","tool_version":"0.1.0"}','d4fa83f6bf1efdaa4bb13ba47b7ef152434e4e1762e16315a218e88faf1957e1');
INSERT INTO ledger VALUES(3,'{"actor":"操作员甲","at":"2026-11-23T05:25:03.621502Z","attempt":1,"body":{"evidence_sha256":"594e2ab8d232941ea6f49b73b98269c1fab1cbdaea6d252349fa6da477a0e422","expected":5,"facts":{"database_bytes":7814167,"http_checks":2,"source_bytes":1603817},"proven":5,"reasons":[],"seconds":4,"status":"ok"},"kind":"step","phase":"result","plan_hash":"0371b22a697576e694d5fbbbb923bf1830d3f1c5109d12006bc805e053c79774","project_id":null,"run_id":"r20261123-1","seq":3,"step":"precheck","subject_id":"SL-XF-02","tool_version":"0.1.0"}','17bdbb248b96a54082452d2fdb61dee18895305423182837af45379e4b44066d');
INSERT INTO ledger VALUES(4,'{"actor":"操作员甲","at":"2026-11-23T05:25:03.628787Z","attempt":null,"body":{"status":"waiting_approval","was":"prechecking"},"kind":"run","phase":"event","plan_hash":"0371b22a697576e694d5fbbbb923bf1830d3f1c5109d12006bc805e053c79774","project_id":null,"run_id":"r20261123-1","seq":4,"step":null,"subject_id":"r20261123-1","tool_version":"0.1.0"}','6c99d385c20b62c0aa879de7d9189c9a362305b878f46cae01c8516b9c2e1ff3');
INSERT INTO ledger VALUES(5,'{"actor":"操作员甲","at":"2026-11-23T05:25:04.937386Z","attempt":null,"body":{"scope":{"hosts":"0d487acd1ed99715fdf6f2514f0d083a84bc2aee338565d076d3587cc3f74e96","playbooks":"f7449de2ad0a24eb3ebc374ed407c48ea9e418ce4759ca8dffecbf2eaef4d458","spec:SL-OA-01":"9e755e82941207d42e93c7c48c11e800bdf1b7f328fca2f4ee334b59f8b62f40"},"status":"registered","systems":["SL-OA-01"]},"kind":"run","phase":"event","plan_hash":"e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80","project_id":null,"run_id":"r20261123-2","seq":5,"step":null,"subject_id":"r20261123-2","tool_version":"0.1.0"}','13346ae5e6bcba47213e42056e0b8d7b8f5e56d9aff99d940279984a6a654c6b');
INSERT INTO ledger VALUES(6,'{"actor":"操作员甲","at":"2026-11-23T05:25:06.491841Z","attempt":1,"body":{"executor":"r20261123-2@vm"},"kind":"step","phase":"intent","plan_hash":"e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80","project_id":null,"run_id":"r20261123-2","seq":6,"step":"precheck","subject_id":"SL-OA-01","tool_version":"0.1.0"}','b8fea467af282985c19e9f257d1042649fd34613ea1a82fcfc2025e70d76c45d');
INSERT INTO ledger VALUES(7,'{"actor":"操作员甲","at":"2026-11-23T05:25:11.116458Z","attempt":1,"body":{"evidence_sha256":"7ad183eee8eeca3d80bc7e1d1fb3a773993dfe7e0a216749da5a45784c991eec","expected":5,"facts":{"database_bytes":8494103,"http_checks":2,"source_bytes":12613832},"proven":5,"reasons":[],"seconds":4,"status":"ok"},"kind":"step","phase":"result","plan_hash":"e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80","project_id":null,"run_id":"r20261123-2","seq":7,"step":"precheck","subject_id":"SL-OA-01","tool_version":"0.1.0"}','2cc2700b60b619ea7258a0ad91e4d1ced42c9706b06c5c177f77d3c96e1e88d5');
INSERT INTO ledger VALUES(8,'{"actor":"操作员甲","at":"2026-11-23T05:25:11.122193Z","attempt":null,"body":{"status":"waiting_approval","was":"prechecking"},"kind":"run","phase":"event","plan_hash":"e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80","project_id":null,"run_id":"r20261123-2","seq":8,"step":null,"subject_id":"r20261123-2","tool_version":"0.1.0"}','d4d418a956fcd21ed7589f325c84dffb4c02f605b45e8cac0085542777d4f6ed');
INSERT INTO ledger VALUES(9,'{"actor":"审批人乙","at":"2026-11-23T05:25:12.815185Z","attempt":null,"body":{"approved":true,"reason":null,"requested_by":"操作员甲","scope":{"hosts":"0d487acd1ed99715fdf6f2514f0d083a84bc2aee338565d076d3587cc3f74e96","playbooks":"f7449de2ad0a24eb3ebc374ed407c48ea9e418ce4759ca8dffecbf2eaef4d458","spec:SL-OA-01":"9e755e82941207d42e93c7c48c11e800bdf1b7f328fca2f4ee334b59f8b62f40"}},"kind":"approval","phase":"event","plan_hash":"e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80","project_id":null,"run_id":"r20261123-2","seq":9,"step":null,"subject_id":"r20261123-2","tool_version":"0.1.0"}','a2ca9c87d27725cd6d71b74f5fc91255c95ec888136b4c32cf37d1d5b332aa5f');
INSERT INTO ledger VALUES(10,'{"actor":"操作员甲","at":"2026-11-23T05:25:14.898213Z","attempt":null,"body":{"status":"running","was":"waiting_approval"},"kind":"run","phase":"event","plan_hash":"e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80","project_id":null,"run_id":"r20261123-2","seq":10,"step":null,"subject_id":"r20261123-2","tool_version":"0.1.0"}','ecad1ce8d0a67dc6b49213855bd9d1cc4fa211398328c853f3b72040c0ec7f21');
INSERT INTO ledger VALUES(11,'{"actor":"操作员甲","at":"2026-11-23T05:25:14.915589Z","attempt":1,"body":{"executor":"r20261123-2@vm"},"kind":"step","phase":"intent","plan_hash":"e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80","project_id":null,"run_id":"r20261123-2","seq":11,"step":"replicate","subject_id":"SL-OA-01","tool_version":"0.1.0"}','710814e835075552d95d7bddd3f5f635a2a3ab9c5b38b6912da8a82809952ef6');
INSERT INTO ledger VALUES(12,'{"actor":"操作员甲","at":"2026-11-23T05:25:24.560067Z","attempt":1,"body":{"evidence_sha256":"20eaeceade0997bed867164e1a252be9b72c2b4a7bc130d860c52bb59e518a4c","expected":8,"facts":{"bytes":12646400,"database_bytes":66229,"files":25,"removed":0,"sent":25},"proven":8,"reasons":[],"seconds":9,"status":"ok"},"kind":"step","phase":"result","plan_hash":"e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80","project_id":null,"run_id":"r20261123-2","seq":12,"step":"replicate","subject_id":"SL-OA-01","tool_version":"0.1.0"}','3c47111b3310c37969b47c6c9cd68b75435ddb70b6c0acc34472e7c4cb7baba4');
INSERT INTO ledger VALUES(13,'{"actor":"操作员甲","at":"2026-11-23T05:25:24.577055Z","attempt":1,"body":{"executor":"r20261123-2@vm"},"kind":"step","phase":"intent","plan_hash":"e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80","project_id":null,"run_id":"r20261123-2","seq":13,"step":"freeze","subject_id":"SL-OA-01","tool_version":"0.1.0"}','b73c552c754d7d618d6caeba7afa0b40383abf66cd6aba3d4a6bdb4486355a77');
INSERT INTO ledger VALUES(14,'{"actor":"操作员甲","at":"2026-11-23T05:25:28.798415Z","attempt":1,"body":{"evidence_sha256":"bb4fa48ff95966aef63e581abbd58d0a3f15256210485125ba4655cf7a389c85","expected":4,"facts":{"sessions_closed":1},"proven":4,"reasons":[],"seconds":4,"status":"ok"},"kind":"step","phase":"result","plan_hash":"e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80","project_id":null,"run_id":"r20261123-2","seq":14,"step":"freeze","subject_id":"SL-OA-01","tool_version":"0.1.0"}','d7f368b701e01f58dcab3cd0d8df0e020204375399d44da56de96c64d47e25a6');
INSERT INTO ledger VALUES(15,'{"actor":"操作员甲","at":"2026-11-23T05:25:28.817387Z","attempt":1,"body":{"executor":"r20261123-2@vm"},"kind":"step","phase":"intent","plan_hash":"e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80","project_id":null,"run_id":"r20261123-2","seq":15,"step":"final_sync","subject_id":"SL-OA-01","tool_version":"0.1.0"}','1f5f52734b88c84fe214b828994cd417b06c075500923ff5484a528225d82c06');
INSERT INTO ledger VALUES(16,'{"actor":"操作员甲","at":"2026-11-23T05:25:36.444489Z","attempt":1,"body":{"evidence_sha256":"c5bb7b31cc0b54767b1943060c3cdfecb5e50b65e42b270937b85c600d9d9188","expected":8,"facts":{"bytes":0,"files":25,"removed":0,"sent":0},"proven":8,"reasons":[],"seconds":7,"status":"ok"},"kind":"step","phase":"result","plan_hash":"e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80","project_id":null,"run_id":"r20261123-2","seq":16,"step":"final_sync","subject_id":"SL-OA-01","tool_version":"0.1.0"}','6e7ef5d8e3f0942a47a40a5a6ec186b13e82f58c94d8c9fb014dbf82c7ae7ad3');
INSERT INTO ledger VALUES(17,'{"actor":"操作员甲","at":"2026-11-23T05:25:36.462796Z","attempt":1,"body":{"executor":"r20261123-2@vm"},"kind":"step","phase":"intent","plan_hash":"e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80","project_id":null,"run_id":"r20261123-2","seq":17,"step":"verify_data","subject_id":"SL-OA-01","tool_version":"0.1.0"}','6cb8d430fd7a4fd52e1a45aea446745617f2ede14993d108790589a35ba58dda');
INSERT INTO ledger VALUES(18,'{"actor":"操作员甲","at":"2026-11-23T05:25:42.083179Z","attempt":1,"body":{"evidence_sha256":"f047b9b711b2611fd5c326d88dcb717ea83086c031c985467350bbbdb0556966","expected":6,"facts":{"bytes":12613832,"database_sha256":"6050e4c4089dd000e3f30471da383bfeeb9d70a2d7b1e20343010b23a4c5239f","files":25,"rows":2020,"sha256 /srv/lab-b/lab/.govcloud-lab/live/oa-01/srv/oa/app":"afd46584cde0487ba4ab4abcc49af46280d8b3c8115409b6e7b0f28f73b7f422","sha256 /srv/lab-b/lab/.govcloud-lab/live/oa-01/srv/oa/uploads":"f0b68be44250945a84c4719979894016bde4e88e6427caae4ab154323997cc71","tables":2},"proven":6,"reasons":[],"seconds":5,"status":"ok"},"kind":"step","phase":"result","plan_hash":"e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80","project_id":null,"run_id":"r20261123-2","seq":18,"step":"verify_data","subject_id":"SL-OA-01","tool_version":"0.1.0"}','7c715e371c301ac204b4e83f447596b4d23d13a2f9a8bdc182a3237da1795381');
INSERT INTO ledger VALUES(19,'{"actor":"操作员甲","at":"2026-11-23T05:25:42.093758Z","attempt":1,"body":{"executor":"r20261123-2@vm"},"kind":"step","phase":"intent","plan_hash":"e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80","project_id":null,"run_id":"r20261123-2","seq":19,"step":"cutover","subject_id":"SL-OA-01","tool_version":"0.1.0"}','f1b72b5e72f020d91f52348da2eaf50580c07463a63a617b3b260d863025fe6a');
INSERT INTO ledger VALUES(20,'{"actor":"操作员甲","at":"2026-11-23T05:25:43.478998Z","attempt":1,"body":{"evidence_sha256":"6bf8763f0834bf30f1a5e2b26673d58ce183b9dd532e0886faa33c37d0a29ed5","expected":0,"facts":{},"proven":0,"reasons":[{"en":"Interrupted: the outcome is unknown","zh":"执行中断，结果不明"}],"seconds":1,"status":"unknown"},"kind":"step","phase":"result","plan_hash":"e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80","project_id":null,"run_id":"r20261123-2","seq":20,"step":"cutover","subject_id":"SL-OA-01","tool_version":"0.1.0"}','34be94237ecbae18fcbaa2dcef6500f79b3c18d627bfccfead03b5ad1f74ec4d');
INSERT INTO ledger VALUES(21,'{"actor":"操作员甲","at":"2026-11-23T05:25:43.485062Z","attempt":null,"body":{"status":"needs_person","was":"running"},"kind":"run","phase":"event","plan_hash":"e9c729c47d9ff0596bc17519ed27bcc58489eab31120adeeb590609c11ab0f80","project_id":null,"run_id":"r20261123-2","seq":21,"step":null,"subject_id":"r20261123-2","tool_version":"0.1.0"}','74022b1c693b93331b159dd0b08fee04cd41c7de01355dfcabd91d71ae31d774');
CREATE TABLE checkpoint (
	size INTEGER NOT NULL, 
	root_hash TEXT NOT NULL, 
	note TEXT NOT NULL, 
	PRIMARY KEY (size)
);
INSERT INTO checkpoint VALUES(10,'21cff125883f7956afbd044f3d233f3c8101deb1ab05cb4619773eb3dbfa085d',replace('govcloud/shanxi/fde2588e\n10\nIc/xJYg/eVavvQRPPSM/PIEB3rGrBctGGXc+s9v6CF0=\n\n— govcloud/shanxi/fde2588e tSdjXMIMaeNIBwB/HkcmQ197VZPrNW740Fc3DDIjILAexwyccX7CCPAGyszuyCKke25EUma5GG6WfAgtzvG00nmOiwQ=\n','\n',char(10)));
CREATE INDEX ix_statement_subject ON statement (subject_id);
CREATE INDEX ix_flow_server ON flow (server_id);
CREATE INDEX ix_waiver_finding ON waiver (finding_id);
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'ledger is append-only'); END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'ledger is append-only'); END;
CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END;
CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint BEGIN SELECT RAISE(ABORT, 'checkpoint is append-only'); END;
CREATE TRIGGER ledger_next_only BEFORE INSERT ON ledger WHEN NEW.seq <> (SELECT coalesce(max(seq) + 1, 0) FROM ledger) BEGIN SELECT RAISE(ABORT, 'ledger is append-only: wrong number'); END;
CREATE TRIGGER statement_no_update BEFORE UPDATE ON statement BEGIN SELECT RAISE(ABORT, 'statement is append-only'); END;
CREATE TRIGGER statement_no_delete BEFORE DELETE ON statement BEGIN SELECT RAISE(ABORT, 'statement is append-only'); END;
COMMIT;
