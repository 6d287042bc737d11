"""What has to hold once a quiet run is over, whatever happened before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sync.plan.model import Issue, IssueKind
from sync.records.composite_text import split_block, split_label
from sync.records.model import DesiredGroup, RecordKey
from sync.state.store import GroupRow
from taiga_pipeline.records import Kind, Membership, Project, ProjectState
from taiga_pipeline.sandbox.models import Project as Row
from taiga_pipeline.sandbox.models import Story
from taiga_pipeline.targets.taiga.identity import decode_reference, encode_reference

from .people import LABELS, Memory, People
from .world import PIPELINE, World

EXPECTED_ISSUES = frozenset(
    {
        IssueKind.CONFLICT,
        IssueKind.AMBIGUOUS,
        IssueKind.DELETED,
        IssueKind.OBSTACLE,
        IssueKind.GONE,
        IssueKind.UNMARKED,
        IssueKind.COPIED,
        IssueKind.DOUBLE,
        IssueKind.MOVED,
        IssueKind.LEFTOVER,
        IssueKind.DROPPED,
    }
)
"""What people can bring about. Nothing may have failed, be uncertain or in quarantine for good."""

BEYOND = frozenset({IssueKind.MOVED, IssueKind.COPIED})
"""What is reported of a story in another deal's project, which ``observed`` of the issue names."""


class Oracle:
    """Compares what is there with what sales want and with what people did."""

    def __init__(
        self, world: World, people: People, made: dict[str, list[int]], wanted: dict[str, set[str]]
    ) -> None:
        self._world = world
        self._people = people
        self._made = made
        self._wanted = wanted
        """All titles that sales ever wanted, by deal."""
        self._store = world.sandbox.store

    def violations(self) -> list[str]:
        """Returns everything that does not hold."""
        issues = [item.issue for item in self._world.state.issues()]
        found = [f"unexpected: {i.message}" for i in issues if i.kind not in EXPECTED_ISSUES]
        index = self._world.state.index()
        followed = [key for key in self._world.project_keys() if not _unlinked(index.get(key))]
        for key in followed:
            about = [issue for issue in issues if issue.key.group == key]
            found += [f"{key}: {each}" for each in self._of_deal(key, about)]
        found += self._of_copies()
        return found

    def _of_deal(self, key: str, issues: list[Issue]) -> Iterator[str]:
        group = self._world.desired(key)
        assert group is not None
        kinds = {issue.kind for issue in issues}
        project = self._world.bound(key)
        made = [each for each in self._made.get(key, ()) if self._is_whole(each)]
        if len(made) > 1:
            yield f"made {len(made)} times: projects {made}"
        is_missing = group.create and not group.retired and project is None
        if is_missing and not kinds & {IssueKind.DELETED, IssueKind.AMBIGUOUS}:
            yield "has no project, and no one is told"
        if project is None or not self._is_member(project):
            return
        yield from self._lasting(key, project, group, issues)
        if IssueKind.DELETED in kinds:
            return
        yield from self._claims(key, project, issues)
        if IssueKind.UNMARKED in kinds:
            return
        yield from self._dropped(project, group, issues)
        if IssueKind.OBSTACLE not in kinds:
            yield from self._sales_fields(project, group)
            yield from self._children(project, group, issues)
        yield from self._unlisted_conflicts(key, project, group, issues)

    def _dropped(self, project: Row, group: DesiredGroup, issues: list[Issue]) -> Iterator[str]:
        """A story that is followed and not asked for is reported, and no other."""
        reported = {issue.key for issue in issues if issue.kind is IssueKind.DROPPED}
        asked = {record.key for record in group.children} | group.waiting
        for key in reported & asked:
            yield f"{key} is asked for, and is reported not to be"
        if wanted_state(group) is ProjectState.RETIRED:
            return
        for story in self._store.stories.of(project.id):
            if _record_of(story).group != group.key or _record_of(story) in asked | reported:
                continue
            if self._is_followed(story):
                yield f"nothing asks for {_record_of(story)}, and no one is told"

    # --- whose it is

    def _claims(self, key: str, project: Row, issues: list[Issue]) -> Iterator[str]:
        """A mark that is gone is reported, and every project that carries the same one."""
        kinds = {issue.kind for issue in issues}
        marked = self._world.marked(key)
        if project in marked and IssueKind.UNMARKED in kinds:
            yield "its mark is there, and is said to be gone"
        if project not in marked and not kinds & {IssueKind.UNMARKED, IssueKind.OBSTACLE}:
            yield "its mark is gone, and no one is told"
        bound = {row.root_id for row in self._world.state.index().values()}
        copies = {str(p.id) for p in marked if self._is_member(p)} - bound
        reported = [i.observed for i in issues if i.kind is IssueKind.COPIED and i.key.is_root]
        if reported != ([frozenset(copies)] if copies else []):
            yield f"its mark is on the projects {copies} too, and {reported} are told"

    def _is_whole(self, number: int) -> bool:
        """Whether a project is more than what a dying worker left behind (nobody sees those)."""
        return bool(self._store.memberships.of(number)) or number not in self._store.projects.rows

    def _is_member(self, project: Row) -> bool:
        bot = self._world.sandbox.people.get(self._world.sandbox.username)
        return self._store.memberships.find(bot.id, project.id) is not None

    # --- what people did lasts

    def _lasting(
        self, key: str, project: Row, group: DesiredGroup, issues: list[Issue]
    ) -> Iterator[str]:
        memory = self._people.memory(project)
        title = split_label(project.name, LABELS)[1]
        text = split_block(project.description, [str(group.root.fields[Project.DEAL_FACTS])])[0]
        if memory.title is not None and title != memory.title:
            yield f"a person's title {memory.title!r} became {title!r}"
        if memory.title is None and title not in self._wanted[key] and project.owner == self._bot:
            yield f"the title {title!r} is nobody's"
        if memory.text is not None and memory.text not in text:
            yield f"a person's text {memory.text!r} became {text!r}"
        if not memory.tags <= set(project.tags):
            yield f"a person's tags {memory.tags} became {project.tags}"
        yield from self._lasting_children(project, memory)

    @property
    def _bot(self) -> int:
        return self._world.sandbox.people.get(self._world.sandbox.username).id

    def _lasting_children(self, project: Row, memory: Memory) -> Iterator[str]:
        members = {self._people.address(row) for row in self._store.memberships.of(project.id)}
        for address in memory.added - members:
            yield f"a person's member {address} is gone"
        for row in self._store.memberships.of(project.id):
            name = self._store.roles.rows[row.role].name
            if memory.roles.get(row.id, name) != name:
                yield f"a person's role {memory.roles[row.id]} became {name}"
        for address in memory.removed & members:
            yield f"{address}, whom a person took away, is back"
        stories = {row.id: row for row in self._store.stories.of(project.id)}
        for number, subject in memory.subjects.items():
            if number not in stories or stories[number].subject != subject:
                yield f"a person's subject {subject!r} is gone"
        for number, place in memory.placed.items():
            story = stories.get(number)
            if story is None or (story.status, story.milestone) != place:
                yield f"story {number} is not where a person put it"
        for number in memory.stories - stories.keys():
            yield f"a person's own story {number} is gone"
        for story in stories.values():
            if self._people.reference(story) in memory.deleted_stories:
                yield f"a story that a person deleted is back: {story.subject}"
        yield from self._copied_stories(stories, memory)
        for row in self._store.milestones.of(project.id):
            dates = memory.dates.get(row.id)
            if dates and dates != (row.estimated_start, row.estimated_finish):
                yield f"a person's dates {dates} became {row.estimated_start}"
            if memory.deleted_milestones:
                yield "a milestone that a person deleted is back"

    def _copied_stories(self, stories: Mapping[int, Story], memory: Memory) -> Iterator[str]:
        """What people copied or moved is left as it is, unless it is the one that is followed."""
        for number, (subject, reference) in memory.copied_stories.items():
            story = stories.get(number)
            if story is None or self._people.reference(story) != reference:
                yield f"the story {subject!r} that a person brought here is gone"
            elif not self._is_followed(story) and story.subject != subject:
                wanted = memory.subjects.get(number)
                if story.subject != wanted:
                    yield f"the copied story {subject!r} became {story.subject!r}"

    def _is_followed(self, story: Story) -> bool:
        known = self._world.state.known(list(self._world.state.index()))
        return any(
            (record.kind, bound.binding.target_id) == (Kind.STORY, str(story.id))
            for each in known.values()
            for record, bound in each.bound.items()
        )

    # --- what sales own is as the mapping says

    def _sales_fields(self, project: Row, group: DesiredGroup) -> Iterator[str]:
        wanted = group.root.fields
        label = str(wanted[Project.LABEL])
        if split_label(project.name, LABELS)[0] != label:
            yield f"the label is not {label!r}: {project.name!r}"
        facts = split_block(project.description, [str(wanted[Project.DEAL_FACTS])])[1]
        if facts != wanted[Project.DEAL_FACTS]:
            yield f"the facts are {facts!r}, not {wanted[Project.DEAL_FACTS]!r}"
        tags = wanted[Project.TAGS]
        assert isinstance(tags, frozenset)
        if not tags <= set(project.tags):
            yield f"the tags {project.tags} lack some of {sorted(tags)}"
        states = {"incoming", "staffed"} - tags
        if states & set(project.tags):
            yield f"the tags {project.tags} are those of another state"
        note = (project.is_looking_for_people, project.looking_for_people_note)
        if note != (wanted[Project.LOOKING_FOR_PEOPLE], wanted[Project.LOOKING_FOR_PEOPLE_NOTE]):
            yield f"looking for people is {note}"

    def _children(self, project: Row, group: DesiredGroup, issues: list[Issue]) -> Iterator[str]:
        if wanted_state(group) is ProjectState.RETIRED:
            return
        memory = self._people.memory(project)
        members = {self._people.address(row) for row in self._store.memberships.of(project.id)}
        for record in group.children:
            if record.key.kind == Kind.MEMBERSHIP:
                email = str(record.fields[Membership.EMAIL])
                if email not in members | memory.removed:
                    yield f"{email} is not a member"
        wanted = {str(r.fields[Membership.EMAIL]) for r in group.children if _is_member(r.key.kind)}
        bot = self._world.sandbox.people.get(self._world.sandbox.username).email
        owner = self._store.users.rows[project.owner].email
        for email in members - wanted - memory.added - {bot, owner}:
            yield f"{email} is still a member"
        for record in group.children:
            if record.key.kind == Kind.STORY:
                yield from self._story(project, record.key, issues)
        milestones = [r for r in group.children if r.key.kind == Kind.MILESTONE]
        if milestones and not memory.deleted_milestones:
            count = len(self._store.milestones.of(project.id))
            if count != len(milestones):
                yield f"{count} milestones"

    def _story(self, project: Row, key: RecordKey, issues: list[Issue]) -> Iterator[str]:
        """A story is there once; what people did about it is reported, and left."""
        memory = self._people.memory(project)
        rows = [row for row in self._store.stories.of(project.id) if _record_of(row) == key]
        kinds = {issue.kind for issue in issues if issue.key == key and not issue.observed}
        away = {i.kind for i in issues if i.key == key and i.kind in BEYOND and i.observed}
        copies = sum(row.id in memory.copied_stories for row in rows)
        gone = any(reference_of(key) == each for each in memory.deleted_stories)
        if len(rows) > max(1, copies + 1) or (len(rows) > copies and gone):
            yield f"story {key.name} is there {len(rows)} times, {copies} of them copies"
        if not rows and not gone and IssueKind.MOVED not in away:
            yield f"story {key.name} is not there"
        if (len(rows) > 1) != (IssueKind.DOUBLE in kinds):
            yield f"story {key.name} is there {len(rows)} times, and {kinds} is told"
        if bool(self._elsewhere(project, key)) != bool(away):
            yield f"story {key.name} is in another project too, and {away} is told"

    def _elsewhere(self, project: Row, key: RecordKey) -> list[Story]:
        """The stories of this record in other deals' projects, which the connector looks at.

        It does not look into the project of a deal that is gone from the source.
        """
        index = self._world.state.index()
        here = [row for key, row in index.items() if key in self._world.project_keys()]
        looked_at = {int(row.root_id) for row in here if row.root_id and row.is_followed}
        return [
            row
            for row in self._store.stories.rows.values()
            if _record_of(row) == key and row.project in looked_at - {project.id}
        ]

    # --- conflicts

    def _unlisted_conflicts(
        self, key: str, project: Row, group: DesiredGroup, issues: list[Issue]
    ) -> Iterator[str]:
        memory = self._people.memory(project)
        if memory.title is None:
            return
        conflicts = [i for i in issues if i.kind is IssueKind.CONFLICT and i.field == Project.TITLE]
        is_new = group.root.fields[Project.TITLE] not in memory.titles_before
        if is_new and not conflicts and IssueKind.DELETED not in {i.kind for i in issues}:
            yield "both sides changed the title, and no conflict is listed"

    # --- what is nobody's business

    def _of_copies(self) -> Iterator[str]:
        for number, name in self._people.copies.items():
            project = self._store.projects.get(number)
            is_bound = str(number) in {row.root_id for row in self._world.state.index().values()}
            if project is not None and project.name != name and not is_bound:
                yield f"the copy {name!r} was written to: {project.name!r}"


def _unlinked(row: GroupRow | None) -> bool:
    """Whether someone asked that a deal no longer be followed."""
    return row is not None and row.unlinked


def _record_of(story: Story) -> RecordKey:
    group, name = decode_reference(PIPELINE, story.external_reference)
    return RecordKey(group, Kind.STORY, name)


def is_of(story: Story, key: str) -> bool:
    """Whether a story names the deal ``key`` as its own."""
    return _record_of(story).group == key


def reference_of(key: RecordKey) -> str:
    """Returns a story's reference as `People.reference` has it."""
    return str(encode_reference(PIPELINE, key))


def _is_member(kind: str) -> bool:
    return kind == Kind.MEMBERSHIP


def wanted_state(group: DesiredGroup) -> ProjectState:
    """Returns the state that a deal's project is to be in."""
    return ProjectState(str(group.root.fields[Project.STATE]))
