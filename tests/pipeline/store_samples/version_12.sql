BEGIN TRANSACTION;
CREATE TABLE allocations (
            id INTEGER PRIMARY KEY,
            deal_key TEXT NOT NULL REFERENCES deals (key) ON DELETE CASCADE,
            email TEXT NOT NULL REFERENCES people (email) ON DELETE CASCADE,
            role TEXT NOT NULL,
            role_folded TEXT NOT NULL,
            hours_per_week TEXT NOT NULL,
            start DATE,
            start_key TEXT NOT NULL,
            "end" DATE,
            confirmed BOOLEAN NOT NULL,
            UNIQUE (deal_key, email, role_folded, start_key)
        );
INSERT INTO "allocations" VALUES(1,'D-1','ana@example.test','Back','back','30',NULL,'',NULL,0);
CREATE TABLE cards (
            card TEXT NOT NULL PRIMARY KEY,
            deal_key TEXT REFERENCES deals (key) ON DELETE CASCADE,
            comments INTEGER NOT NULL DEFAULT '0',
            answered TEXT NOT NULL DEFAULT ''
        );
INSERT INTO "cards" VALUES('taiga:1:2','D-1',3,'');
CREATE TABLE customer_joins (
            id INTEGER PRIMARY KEY,
            deal_key TEXT NOT NULL REFERENCES deals (key) ON DELETE CASCADE,
            before TEXT NOT NULL,
            after TEXT NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            by TEXT NOT NULL,
            undone_at TIMESTAMP WITH TIME ZONE
        );
INSERT INTO "customer_joins" VALUES(1,'D-2','Bolt AB','Bolt & Co','2026-11-26 19:17:40.000000','maya','2026-11-26 19:17:41.000000');
CREATE TABLE customers_apart (
            name TEXT NOT NULL,
            other TEXT NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            by TEXT NOT NULL,
            PRIMARY KEY (name, other)
        );
INSERT INTO "customers_apart" VALUES('Acme','Acme Inc','2026-11-26 19:17:42.000000','maya');
CREATE TABLE deals (
            key TEXT PRIMARY KEY,
            key_folded TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            customer TEXT NOT NULL,
            stage TEXT NOT NULL,
            stage_folded TEXT NOT NULL,
            value TEXT,
            currency TEXT NOT NULL,
            probability TEXT,
            engaged_on DATE,
            expected_close DATE,
            start DATE,
            closed_on DATE,
            owner TEXT NOT NULL,
            team TEXT NOT NULL,
            service TEXT NOT NULL,
            lead_source TEXT NOT NULL,
            lost_reason TEXT NOT NULL,
            contacts TEXT NOT NULL,
            roles TEXT NOT NULL,
            done TEXT NOT NULL,
            stage_since TIMESTAMP WITH TIME ZONE,
            updated_at TIMESTAMP WITH TIME ZONE
        , next_step TEXT NOT NULL DEFAULT '', next_step_on DATE, own TEXT NOT NULL DEFAULT '', next_step_by TEXT NOT NULL DEFAULT '', part_of TEXT NOT NULL DEFAULT '');
INSERT INTO "deals" VALUES('D-1','d-1','Portal','Acme','Qualified','qualified','1500','EUR',NULL,NULL,NULL,NULL,NULL,'Tom','','','','','','','','2026-11-26 19:17:35.130857','2026-11-26 19:17:35.130961','Call Ann','2026-12-01','{"region": "North"}','','');
INSERT INTO "deals" VALUES('D-2','d-2','Audit','Bolt','Lost','lost','2000','EUR',NULL,NULL,NULL,NULL,'2026-11-26','Tom','','','','too dear','','','budget confirmed; decision maker identified; needs documented','2026-11-26 19:17:38.094650','2026-11-27 03:00:00.000000','',NULL,'','','');
INSERT INTO "deals" VALUES('D-3','d-3','Shop','Crux','Lead','lead',NULL,'',NULL,NULL,NULL,NULL,NULL,'','','','','','','','','2026-11-26 19:17:26.917555','2026-11-26 19:17:26.917555','',NULL,'','','');
CREATE TABLE field_changes (
            id INTEGER PRIMARY KEY,
            deal_key TEXT NOT NULL REFERENCES deals (key) ON DELETE CASCADE,
            field TEXT NOT NULL,
            before TEXT NOT NULL,
            after TEXT NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            by TEXT NOT NULL
        );
INSERT INTO "field_changes" VALUES(1,'D-1','value','1000','1500','2026-11-26 19:17:32.477747','maya');
INSERT INTO "field_changes" VALUES(2,'D-1','owner','Maya','Tom','2026-11-26 19:17:32.477747','maya');
INSERT INTO "field_changes" VALUES(3,'D-1','notes','','called twice','2026-11-26 19:17:32.477747','maya');
INSERT INTO "field_changes" VALUES(4,'D-1','stage','Lead','Qualified','2026-11-26 19:17:35.130961','maya');
INSERT INTO "field_changes" VALUES(5,'D-1','stage_since','2026-11-26T19:17:26.917555Z','2026-11-26T19:17:35.130857Z','2026-11-26 19:17:35.130961','maya');
INSERT INTO "field_changes" VALUES(6,'D-2','stage','Proposal','Lost','2026-11-26 19:17:38.094751','maya');
INSERT INTO "field_changes" VALUES(7,'D-2','closed_on','','2026-11-26','2026-11-26 19:17:38.094751','maya');
INSERT INTO "field_changes" VALUES(8,'D-2','lost_reason','','too dear','2026-11-26 19:17:38.094751','maya');
INSERT INTO "field_changes" VALUES(9,'D-2','stage_since','2026-11-26T19:17:26.917555Z','2026-11-26T19:17:38.094650Z','2026-11-26 19:17:38.094751','maya');
CREATE TABLE import_profiles (
            origin TEXT PRIMARY KEY,
            options TEXT NOT NULL,
            kept_at TIMESTAMP WITH TIME ZONE NOT NULL
        );
INSERT INTO "import_profiles" VALUES('list.xlsx','{"columns": {"owner": "Säljare"}}','2026-11-27 09:00:00.000000');
CREATE TABLE imported (
            origin TEXT NOT NULL,
            deal_key TEXT NOT NULL REFERENCES deals (key) ON DELETE CASCADE,
            cells TEXT NOT NULL,
            missing_since TIMESTAMP WITH TIME ZONE, imported_at TIMESTAMP WITH TIME ZONE,
            PRIMARY KEY (origin, deal_key)
        );
INSERT INTO "imported" VALUES('crm.csv','D-1','{"key": "D-1", "name": "Portal", "customer": "Acme", "stage": "Lead", "value": "1000", "currency": "EUR", "owner": "Maya"}',NULL,'2026-11-26 19:17:26.917555');
INSERT INTO "imported" VALUES('crm.csv','D-2','{"key": "D-2", "name": "Audit", "customer": "Bolt", "stage": "Proposal", "value": "2000", "currency": "EUR", "owner": "Tom"}',NULL,'2026-11-26 19:17:26.917555');
INSERT INTO "imported" VALUES('crm.csv','D-3','{"key": "D-3", "name": "Shop", "customer": "Crux", "stage": "Lead"}','2026-11-26 19:17:29.736138','2026-11-26 19:17:26.917555');
CREATE TABLE keys_gone (
            id INTEGER PRIMARY KEY,
            key TEXT NOT NULL,
            new_key TEXT NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            by TEXT NOT NULL,
            held TEXT NOT NULL
        );
CREATE TABLE notes (
            id INTEGER PRIMARY KEY,
            deal_key TEXT NOT NULL REFERENCES deals (key) ON DELETE CASCADE,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            by TEXT NOT NULL,
            text TEXT NOT NULL,
            origin TEXT,
            UNIQUE (deal_key, origin)
        );
INSERT INTO "notes" VALUES(1,'D-1','2026-11-26 19:17:32.477747','maya','called twice','before-the-log');
INSERT INTO "notes" VALUES(2,'D-2','2026-11-27 03:00:00.000000','maya','They may come back in spring.',NULL);
CREATE TABLE people (
            email TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            role TEXT NOT NULL,
            skills TEXT NOT NULL,
            hours_per_week TEXT NOT NULL,
            team TEXT NOT NULL,
            country TEXT NOT NULL,
            starts DATE,
            ends DATE
        );
INSERT INTO "people" VALUES('ana@example.test','Ana','Back','','40','','',NULL,NULL);
CREATE TABLE people_imported (
            origin TEXT NOT NULL,
            email TEXT NOT NULL REFERENCES people (email) ON DELETE CASCADE,
            number TEXT NOT NULL,
            cells TEXT NOT NULL,
            missing_since TIMESTAMP WITH TIME ZONE,
            PRIMARY KEY (origin, email)
        );
INSERT INTO "people_imported" VALUES('hr.csv','ana@example.test','7','{"name": "Ana"}',NULL);
CREATE TABLE planning_changes (
            id INTEGER PRIMARY KEY,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            by TEXT NOT NULL,
            kind TEXT NOT NULL,
            email TEXT NOT NULL,
            deal_key TEXT NOT NULL,
            what TEXT NOT NULL,
            before TEXT NOT NULL,
            after TEXT NOT NULL
        );
INSERT INTO "planning_changes" VALUES(1,'2026-11-27 11:20:00.000000','maya','person','ana@example.test','','','{"team": ""}','{"team": "north"}');
INSERT INTO "planning_changes" VALUES(2,'2026-11-27 11:20:00.000000','maya','person','ana@example.test','','','{"team": "north"}','{"team": ""}');
CREATE TABLE rates (
            id INTEGER PRIMARY KEY,
            email TEXT REFERENCES people (email) ON DELETE CASCADE,
            role TEXT NOT NULL,
            role_folded TEXT NOT NULL,
            since DATE,
            cost TEXT,
            bill TEXT,
            currency TEXT NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            by TEXT NOT NULL
        );
INSERT INTO "rates" VALUES(1,NULL,'Back','back',NULL,'60','120','EUR','2026-11-26 19:20:00.000000','maya');
INSERT INTO "rates" VALUES(2,'ana@example.test','','','2026-01-01','70.5',NULL,'EUR','2026-11-26 19:21:00.000000','maya');
CREATE TABLE schema_version (
	name TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "schema_version" VALUES('pipeline',12);
CREATE TABLE stage_moves (
            id INTEGER PRIMARY KEY,
            deal_key TEXT NOT NULL REFERENCES deals (key) ON DELETE CASCADE,
            from_stage TEXT NOT NULL,
            to_stage TEXT NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            by TEXT NOT NULL,
            forced TEXT NOT NULL
        );
INSERT INTO "stage_moves" VALUES(1,'D-1','','Lead','2026-11-26 19:17:26.917555','maya','[]');
INSERT INTO "stage_moves" VALUES(2,'D-2','','Proposal','2026-11-26 19:17:26.917555','maya','[]');
INSERT INTO "stage_moves" VALUES(3,'D-3','','Lead','2026-11-26 19:17:26.917555','maya','[]');
INSERT INTO "stage_moves" VALUES(4,'D-1','Lead','Qualified','2026-11-26 19:17:35.130857','maya','[]');
INSERT INTO "stage_moves" VALUES(5,'D-2','Proposal','Lost','2026-11-26 19:17:38.094650','maya','[]');
CREATE TABLE synced_with (pipeline TEXT PRIMARY KEY, server TEXT NOT NULL);
INSERT INTO "synced_with" VALUES('acme','{"proof":"5b1c|2026-11-23T09:00:00.000Z","address":"https://taiga.example.com/api/v1","account":"pipeline-bot","account_id":"2"}');
CREATE TABLE time_off (
            email TEXT NOT NULL REFERENCES people (email) ON DELETE CASCADE,
            first DATE NOT NULL,
            last DATE NOT NULL,
            reason TEXT NOT NULL,
            PRIMARY KEY (email, first, last)
        );
INSERT INTO "time_off" VALUES('ana@example.test','2026-12-21','2026-12-23','');
CREATE TABLE time_off_imported (
            origin TEXT NOT NULL,
            event TEXT NOT NULL,
            email TEXT NOT NULL REFERENCES people (email) ON DELETE CASCADE,
            first DATE NOT NULL,
            last DATE NOT NULL,
            PRIMARY KEY (origin, event, email, first, last)
        );
INSERT INTO "time_off_imported" VALUES('team.ics','1@leave','ana@example.test','2026-12-21','2026-12-23');
CREATE INDEX deals_stage ON deals (stage_folded);
CREATE INDEX stage_moves_deal ON stage_moves (deal_key);
CREATE INDEX field_changes_deal ON field_changes (deal_key);
CREATE INDEX imported_deal ON imported (deal_key);
CREATE INDEX allocations_email ON allocations (email);
CREATE INDEX rates_email ON rates (email);
CREATE INDEX keys_gone_key ON keys_gone (key);
CREATE INDEX cards_deal ON cards (deal_key);
CREATE INDEX customer_joins_deal ON customer_joins (deal_key);
CREATE INDEX planning_changes_email ON planning_changes (email);
CREATE INDEX planning_changes_deal ON planning_changes (deal_key);
COMMIT;
