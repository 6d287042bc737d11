"""What a Python program may import: the use cases, their results and their errors.

Whatever the command line can do is here as a function: plain arguments in, a frozen result out. A
`Workspace` is the first argument; it hands them the settings, the clock and the stores. An error
carries what went wrong as fields; `trouble_of` says of any error what has to be done about it.

Other modules of the package may change without notice.
"""

from __future__ import annotations

from sync.errors import Locked, Refused, Stop, SyncError, Unauthorised, Unreachable
from sync.ways_out import Side
from taiga_pipeline.app.backup import BackedUp, back_up
from taiga_pipeline.app.card_changes import CardChange, CardEvent
from taiga_pipeline.app.checking import Finding, check_all
from taiga_pipeline.app.customers.customers import (
    CustomerDetails,
    Customers,
    Suggestion,
    join_customers,
    keep_apart,
    list_customers,
    show_customer,
    undo_join,
)
from taiga_pipeline.app.customers.lessons import (
    SimilarDeal,
    SimilarDeals,
    answer_questions,
    retrospective_of,
    retrospectives,
    similar_deals,
)
from taiga_pipeline.app.deals.calendar_feed import calendar_feed
from taiga_pipeline.app.deals.changes import ChangesSince, changes_since, read_since
from taiga_pipeline.app.deals.editing import (
    Added,
    Edited,
    Gate,
    add_deal,
    check_off,
    edit_deal,
    gate_of,
    move_deal,
    remove_deal,
    rename_deal,
    take_back,
)
from taiga_pipeline.app.deals.filters import UnknownFilters
from taiga_pipeline.app.deals.follow_ups import Score
from taiga_pipeline.app.deals.follow_ups import Waiting as WaitsFor
from taiga_pipeline.app.deals.listing import Listing, Selection, SortBy, Span, list_deals
from taiga_pipeline.app.deals.looking import DealDetails, DealView, find_deals, show_deal
from taiga_pipeline.app.deals.notes import Noted, add_note, notes_of
from taiga_pipeline.app.deals.staffing import PutOn, Staffing, put_on, staffing_of, take_off
from taiga_pipeline.app.deals.tables import (
    export_deals,
    export_workbook,
    import_deals,
    reading_import,
)
from taiga_pipeline.app.deals.values import read_fields
from taiga_pipeline.app.mappings import Checked as CheckedMappings
from taiga_pipeline.app.mappings import Compared as ComparedMappings
from taiga_pipeline.app.mappings import check_mappings, compare_mappings, explain_project
from taiga_pipeline.app.notify.digest import digest_of, send_digest
from taiga_pipeline.app.notify.telling import ChannelResult, undelivered_messages
from taiga_pipeline.app.people.allocations import (
    export_allocations,
    import_allocations,
    list_allocations,
)
from taiga_pipeline.app.people.history import people_history, scenario_history
from taiga_pipeline.app.people.roster import (
    Renamed,
    add_person,
    edit_person,
    export_people,
    import_people,
    list_people,
    remove_person,
    rename_person,
)
from taiga_pipeline.app.people.time_off import (
    CalendarImported,
    add_time_off,
    calendar_of,
    export_time_off,
    import_calendar,
    import_time_off,
    list_time_off,
    remove_time_off,
)
from taiga_pipeline.app.planning.capacity import (
    CapacityAnswer,
    UnknownRole,
    WeekNotShown,
    capacity_of,
)
from taiga_pipeline.app.planning.forecast import (
    DayToCome,
    Forecasted,
    NoForecast,
    Scored,
    explain_chance,
    forecast_wins,
    score_forecasts,
)
from taiga_pipeline.app.planning.inputs import options_for
from taiga_pipeline.app.planning.metrics import Metrics, metrics_of
from taiga_pipeline.app.planning.report import gather as gather_report
from taiga_pipeline.app.planning.scenarios import Compared as ComparedScenarios
from taiga_pipeline.app.planning.scenarios import (
    NothingSupposed,
    ScenarioThere,
    delete_scenario,
    save_scenario,
    saved_scenario,
    saved_scenarios,
)
from taiga_pipeline.app.planning.scenarios import compare as compare_scenarios
from taiga_pipeline.app.planning.staffing import (
    Accepted,
    Wanted,
    accept_suggestion,
    suggest_staffing,
)
from taiga_pipeline.app.project_files import Ends
from taiga_pipeline.app.starting import SampleNeedsStore, Started, StoreThere, start_pipeline
from taiga_pipeline.app.store_copy import Copied, copy_stores
from taiga_pipeline.app.sync.deciding import (
    Adopted,
    Renumbered,
    adopt,
    adopt_renumbered,
    resolve,
    take_over_project,
)
from taiga_pipeline.app.sync.leaving import UnlinkedDeal, disown_copy, unlink_deals
from taiga_pipeline.app.sync.looking import (
    Past,
    StateServer,
    Waiting,
    past_of,
    server_of,
    sync_health,
    waiting,
)
from taiga_pipeline.app.sync.moving import bring_back, keep_server, take_new_server
from taiga_pipeline.app.sync.running import DrawnPlan, Performed, draw_plan, perform
from taiga_pipeline.app.trouble import Trouble, trouble_of
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.notify.digest import Digest, digest_lines, headline
from taiga_pipeline.people.model import Allocation, Person, TimeOff
from taiga_pipeline.pipeline.customers.store import Joined, NothingJoined, UnknownCustomer
from taiga_pipeline.pipeline.errors import (
    AddressTaken,
    AlreadyInStage,
    AlreadyThere,
    EditConflict,
    FieldConflict,
    FixedFields,
    GateClosed,
    InvalidFields,
    InvalidValue,
    KeyTaken,
    KeyWasRenamed,
    NotDone,
    NothingToChange,
    NotMappedDeal,
    RequestError,
    UnknownAction,
    UnknownDeal,
    UnknownName,
    UnknownPerson,
    UnknownStage,
)
from taiga_pipeline.pipeline.importing.options import ImportOptions
from taiga_pipeline.pipeline.model import (
    Category,
    Contact,
    Deal,
    FieldChange,
    Note,
    PlanningChange,
    PlanningKind,
    RoleDemand,
    StageMove,
)
from taiga_pipeline.planning.lessons.customer import (
    CustomerTotals,
    DeliveryRecord,
    KnownContact,
)
from taiga_pipeline.planning.lessons.experience import Experience
from taiga_pipeline.planning.lessons.looking_back import Retrospective
from taiga_pipeline.problems import Problem, ProblemsError

__all__ = [
    "Accepted",
    "Added",
    "AddressTaken",
    "Adopted",
    "Allocation",
    "AlreadyInStage",
    "AlreadyThere",
    "BackedUp",
    "CalendarImported",
    "CapacityAnswer",
    "CardChange",
    "CardEvent",
    "Category",
    "ChangesSince",
    "ChannelResult",
    "CheckedMappings",
    "ComparedMappings",
    "ComparedScenarios",
    "Contact",
    "Copied",
    "CustomerDetails",
    "CustomerTotals",
    "Customers",
    "DayToCome",
    "Deal",
    "DealDetails",
    "DealView",
    "DeliveryRecord",
    "Digest",
    "DrawnPlan",
    "EditConflict",
    "Edited",
    "Ends",
    "Experience",
    "FieldChange",
    "FieldConflict",
    "Finding",
    "FixedFields",
    "Forecasted",
    "Gate",
    "GateClosed",
    "ImportOptions",
    "InvalidFields",
    "InvalidValue",
    "Joined",
    "KeyTaken",
    "KeyWasRenamed",
    "KnownContact",
    "Listing",
    "Locked",
    "Metrics",
    "NoForecast",
    "NotDone",
    "NotMappedDeal",
    "Note",
    "Noted",
    "NothingJoined",
    "NothingSupposed",
    "NothingToChange",
    "Past",
    "Performed",
    "Person",
    "PlanningChange",
    "PlanningKind",
    "Problem",
    "ProblemsError",
    "PutOn",
    "Refused",
    "Renamed",
    "Renumbered",
    "RequestError",
    "Retrospective",
    "RoleDemand",
    "SampleNeedsStore",
    "ScenarioThere",
    "Score",
    "Scored",
    "Selection",
    "Side",
    "SimilarDeal",
    "SimilarDeals",
    "SortBy",
    "Span",
    "Staffing",
    "StageMove",
    "Started",
    "StateServer",
    "Stop",
    "StoreThere",
    "Suggestion",
    "SyncError",
    "TimeOff",
    "Trouble",
    "Unauthorised",
    "UnknownAction",
    "UnknownCustomer",
    "UnknownDeal",
    "UnknownFilters",
    "UnknownName",
    "UnknownPerson",
    "UnknownRole",
    "UnknownStage",
    "UnlinkedDeal",
    "Unreachable",
    "Waiting",
    "WaitsFor",
    "Wanted",
    "WeekNotShown",
    "Workspace",
    "accept_suggestion",
    "add_deal",
    "add_note",
    "add_person",
    "add_time_off",
    "adopt",
    "adopt_renumbered",
    "answer_questions",
    "back_up",
    "bring_back",
    "calendar_feed",
    "calendar_of",
    "capacity_of",
    "changes_since",
    "check_all",
    "check_mappings",
    "check_off",
    "compare_mappings",
    "compare_scenarios",
    "copy_stores",
    "delete_scenario",
    "digest_lines",
    "digest_of",
    "disown_copy",
    "draw_plan",
    "edit_deal",
    "edit_person",
    "explain_chance",
    "explain_project",
    "export_allocations",
    "export_deals",
    "export_people",
    "export_time_off",
    "export_workbook",
    "find_deals",
    "forecast_wins",
    "gate_of",
    "gather_report",
    "headline",
    "import_allocations",
    "import_calendar",
    "import_deals",
    "import_people",
    "import_time_off",
    "join_customers",
    "keep_apart",
    "keep_server",
    "list_allocations",
    "list_customers",
    "list_deals",
    "list_people",
    "list_time_off",
    "metrics_of",
    "move_deal",
    "notes_of",
    "options_for",
    "past_of",
    "people_history",
    "perform",
    "put_on",
    "read_fields",
    "read_since",
    "reading_import",
    "remove_deal",
    "remove_person",
    "remove_time_off",
    "rename_deal",
    "rename_person",
    "resolve",
    "retrospective_of",
    "retrospectives",
    "save_scenario",
    "saved_scenario",
    "saved_scenarios",
    "scenario_history",
    "score_forecasts",
    "send_digest",
    "server_of",
    "show_customer",
    "show_deal",
    "similar_deals",
    "staffing_of",
    "start_pipeline",
    "suggest_staffing",
    "sync_health",
    "take_back",
    "take_new_server",
    "take_off",
    "take_over_project",
    "trouble_of",
    "undelivered_messages",
    "undo_join",
    "unlink_deals",
    "waiting",
]
