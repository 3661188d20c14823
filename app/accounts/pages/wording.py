"""What the audit log calls each act."""

from app.foundation.translation import gettext, mark

ACTIONS = {
    "api_key.created": mark("Made an API key"),
    "api_key.revoked": mark("Revoked an API key"),
    "dimension.added": mark("Added a segment dimension"),
    "dimension.removed": mark("Removed a segment dimension"),
    "import.stored": mark("Imported answers"),
    "import.undone": mark("Undid an import"),
    "invitation.created": mark("Made an invitation link"),
    "invitation.revoked": mark("Revoked an invitation link"),
    "link.created": mark("Made a survey link"),
    "link.repointed": mark("Pointed a survey link elsewhere"),
    "link.revoked": mark("Revoked a survey link"),
    "member.added": mark("Was made an owner from the server"),
    "member.joined": mark("Joined the workspace"),
    "member.left": mark("Left the workspace"),
    "member.removed": mark("Removed a member"),
    "member.role_changed": mark("Changed a member’s role"),
    "password.changed": mark("Changed their password"),
    "password.reset": mark("Set a new password by link"),
    "response.excluded": mark("Excluded an answer"),
    "response.included": mark("Counted an answer again"),
    "responses.exported": mark("Exported answers"),
    "responses.expired": mark("Deleted answers whose retention was over"),
    "session.started": mark("Signed in"),
    "survey.closed": mark("Closed a survey"),
    "survey.created": mark("Created a survey"),
    "survey.edited": mark("Changed a survey"),
    "survey.published": mark("Published a survey"),
    "survey.version_made": mark("Made a new version of a survey"),
    "value.archived": mark("Archived a segment value"),
    "value.restored": mark("Restored a segment value"),
    "values.added": mark("Added segment values"),
    "workspace.changed": mark("Changed the workspace’s settings"),
    "workspace.created": mark("Made the workspace"),
}


def describe_action(action: str) -> str:
    """The act in the reader's language; its code where it has no name here."""
    return gettext(ACTIONS[action]) if action in ACTIONS else action
