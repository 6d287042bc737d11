"""The steps that bring a store of an older version to the tables of `pipeline.schema`.

Each is plain SQL as it was when it was added, and is never changed.
"""

from __future__ import annotations

from typing import Final

from sync.database.migrations import Step, statements

STEPS: Final[tuple[Step, ...]] = (
    statements(
        """CREATE TABLE deals (
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
            notes TEXT NOT NULL,
            contacts TEXT NOT NULL,
            roles TEXT NOT NULL,
            done TEXT NOT NULL,
            stage_since TIMESTAMP WITH TIME ZONE,
            updated_at TIMESTAMP WITH TIME ZONE
        )""",
        "CREATE INDEX deals_stage ON deals (stage_folded)",
        """CREATE TABLE stage_moves (
            id {identity},
            deal_key TEXT NOT NULL REFERENCES deals (key) ON DELETE CASCADE,
            from_stage TEXT NOT NULL,
            to_stage TEXT NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            by TEXT NOT NULL,
            forced TEXT NOT NULL
        )""",
        "CREATE INDEX stage_moves_deal ON stage_moves (deal_key)",
        """CREATE TABLE field_changes (
            id {identity},
            deal_key TEXT NOT NULL REFERENCES deals (key) ON DELETE CASCADE,
            field TEXT NOT NULL,
            before TEXT NOT NULL,
            after TEXT NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            by TEXT NOT NULL
        )""",
        "CREATE INDEX field_changes_deal ON field_changes (deal_key)",
        """CREATE TABLE imported (
            origin TEXT NOT NULL,
            deal_key TEXT NOT NULL REFERENCES deals (key) ON DELETE CASCADE,
            cells TEXT NOT NULL,
            missing_since TIMESTAMP WITH TIME ZONE,
            PRIMARY KEY (origin, deal_key)
        )""",
        "CREATE INDEX imported_deal ON imported (deal_key)",
        """CREATE TABLE people (
            email TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            role TEXT NOT NULL,
            skills TEXT NOT NULL,
            hours_per_week TEXT NOT NULL,
            team TEXT NOT NULL,
            country TEXT NOT NULL,
            starts DATE,
            ends DATE
        )""",
        """CREATE TABLE time_off (
            email TEXT NOT NULL REFERENCES people (email) ON DELETE CASCADE,
            first DATE NOT NULL,
            last DATE NOT NULL,
            reason TEXT NOT NULL,
            PRIMARY KEY (email, first, last)
        )""",
        """CREATE TABLE allocations (
            id {identity},
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
        )""",
        "CREATE INDEX allocations_email ON allocations (email)",
    ),
    statements("ALTER TABLE imported ADD COLUMN imported_at TIMESTAMP WITH TIME ZONE"),
    statements("CREATE TABLE synced_with (pipeline TEXT PRIMARY KEY, server TEXT NOT NULL)"),
    statements(
        """CREATE TABLE people_imported (
            origin TEXT NOT NULL,
            email TEXT NOT NULL REFERENCES people (email) ON DELETE CASCADE,
            number TEXT NOT NULL,
            cells TEXT NOT NULL,
            missing_since TIMESTAMP WITH TIME ZONE,
            PRIMARY KEY (origin, email)
        )""",
        """CREATE TABLE time_off_imported (
            origin TEXT NOT NULL,
            event TEXT NOT NULL,
            email TEXT NOT NULL REFERENCES people (email) ON DELETE CASCADE,
            first DATE NOT NULL,
            last DATE NOT NULL,
            PRIMARY KEY (origin, event, email, first, last)
        )""",
    ),
    statements(
        "ALTER TABLE deals ADD COLUMN next_step TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE deals ADD COLUMN next_step_on DATE",
        "ALTER TABLE deals ADD COLUMN own TEXT NOT NULL DEFAULT ''",
    ),
    statements(
        """CREATE TABLE rates (
            id {identity},
            email TEXT REFERENCES people (email) ON DELETE CASCADE,
            role TEXT NOT NULL,
            role_folded TEXT NOT NULL,
            since DATE,
            cost TEXT,
            bill TEXT,
            currency TEXT NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            by TEXT NOT NULL
        )""",
        "CREATE INDEX rates_email ON rates (email)",
    ),
    statements(
        "ALTER TABLE deals ADD COLUMN next_step_by TEXT NOT NULL DEFAULT ''",
        """CREATE TABLE notes (
            id {identity},
            deal_key TEXT NOT NULL REFERENCES deals (key) ON DELETE CASCADE,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            by TEXT NOT NULL,
            text TEXT NOT NULL,
            origin TEXT,
            UNIQUE (deal_key, origin)
        )""",
        """INSERT INTO notes (deal_key, at, by, text, origin)
            SELECT
                deals.key,
                COALESCE(
                    (SELECT MAX(noted.at) FROM field_changes noted
                        WHERE noted.deal_key = deals.key AND noted.field = 'notes'),
                    deals.updated_at, deals.stage_since, CURRENT_TIMESTAMP
                ),
                COALESCE(
                    (SELECT noted.by FROM field_changes noted
                        WHERE noted.deal_key = deals.key AND noted.field = 'notes'
                        ORDER BY noted.id DESC LIMIT 1),
                    ''
                ),
                deals.notes,
                'before-the-log'
            FROM deals WHERE deals.notes <> '' ORDER BY deals.key""",
        "ALTER TABLE deals DROP COLUMN notes",
        """CREATE TABLE keys_gone (
            id {identity},
            key TEXT NOT NULL,
            new_key TEXT NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            by TEXT NOT NULL,
            held TEXT NOT NULL
        )""",
        "CREATE INDEX keys_gone_key ON keys_gone (key)",
    ),
    statements(
        """CREATE TABLE import_profiles (
            origin TEXT PRIMARY KEY,
            options TEXT NOT NULL,
            kept_at TIMESTAMP WITH TIME ZONE NOT NULL
        )""",
    ),
    statements(
        """CREATE TABLE cards (
            card TEXT NOT NULL PRIMARY KEY,
            deal_key TEXT REFERENCES deals (key) ON DELETE CASCADE,
            comments INTEGER NOT NULL DEFAULT '0',
            answered TEXT NOT NULL DEFAULT ''
        )""",
        "CREATE INDEX cards_deal ON cards (deal_key)",
    ),
    statements(
        """CREATE TABLE customer_joins (
            id {identity},
            deal_key TEXT NOT NULL REFERENCES deals (key) ON DELETE CASCADE,
            before TEXT NOT NULL,
            after TEXT NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            by TEXT NOT NULL,
            undone_at TIMESTAMP WITH TIME ZONE
        )""",
        "CREATE INDEX customer_joins_deal ON customer_joins (deal_key)",
        """CREATE TABLE customers_apart (
            name TEXT NOT NULL,
            other TEXT NOT NULL,
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            by TEXT NOT NULL,
            PRIMARY KEY (name, other)
        )""",
    ),
    statements("ALTER TABLE deals ADD COLUMN part_of TEXT NOT NULL DEFAULT ''"),
    statements(
        """CREATE TABLE planning_changes (
            id {identity},
            at TIMESTAMP WITH TIME ZONE NOT NULL,
            by TEXT NOT NULL,
            kind TEXT NOT NULL,
            email TEXT NOT NULL,
            deal_key TEXT NOT NULL,
            what TEXT NOT NULL,
            before TEXT NOT NULL,
            after TEXT NOT NULL
        )""",
        "CREATE INDEX planning_changes_email ON planning_changes (email)",
        "CREATE INDEX planning_changes_deal ON planning_changes (deal_key)",
    ),
)
