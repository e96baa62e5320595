"""The one table of routes: what exists, who may use it, and which function answers. Tests hold the app against it."""

from typing import Final

from aircall_core.service import admin, audit, blocklist, commands, health, hours, library, rtc, session_pages, tags
from aircall_core.service.endpoint import ADMINS, EVERYBODY, METRICS, PUBLIC, Entry

ROUTES: Final = (
    # Health
    Entry("GET", "/healthz", PUBLIC, health.alive),
    Entry("GET", "/readyz", PUBLIC, health.ready),
    Entry("GET", "/metrics", METRICS, health.figures),
    # Signing in: public, since it is how one stops being a stranger
    Entry("GET", "/session/login", PUBLIC, session_pages.login_page),
    Entry("POST", "/session/login", PUBLIC, session_pages.login),
    Entry("POST", "/session/logout", PUBLIC, session_pages.logout),
    Entry("GET", "/session/setup", PUBLIC, session_pages.setup_page),
    Entry("POST", "/session/setup", PUBLIC, session_pages.setup),
    Entry("GET", "/session/join", PUBLIC, session_pages.join_page),
    Entry("POST", "/session/join", PUBLIC, session_pages.join),
    Entry("GET", "/session/assets/{version}/{name}", PUBLIC, session_pages.asset),
    Entry("GET", "/session/me", EVERYBODY, session_pages.me),
    Entry("GET", "/session/mine", EVERYBODY, session_pages.mine),
    Entry("POST", "/session/end", EVERYBODY, session_pages.end_one, session_pages.SessionToEnd),
    Entry("POST", "/session/end-others", EVERYBODY, session_pages.end_others),
    # Calls
    Entry("POST", "/desk/duty", EVERYBODY, commands.duty, commands.Duty),
    Entry("POST", "/desk/calls/{call}/accept", EVERYBODY, commands.accept, commands.Accept),
    Entry("POST", "/desk/calls/{call}/reject", EVERYBODY, commands.reject, commands.Command),
    Entry("POST", "/desk/calls/{call}/hangup", EVERYBODY, commands.hang_up, commands.Command),
    Entry("POST", "/desk/calls/{call}/mute", EVERYBODY, commands.mute, commands.Mute),
    # Audio of browsers
    Entry("GET", "/rtc/config", EVERYBODY, rtc.config),
    Entry("POST", "/rtc/offer", EVERYBODY, rtc.offer, rtc.OfferBody),
    Entry("POST", "/rtc/close", EVERYBODY, rtc.close, rtc.CloseBody),
    # Conversations
    Entry("GET", "/desk/conversations/{conversation}/timeline", EVERYBODY, library.timeline),
    Entry("POST", "/desk/conversations/{conversation}/read", EVERYBODY, commands.read),
    Entry("GET", "/desk/recordings/{call}", EVERYBODY, library.recording),
    # Administration
    Entry("GET", "/desk/users", ADMINS, admin.list_users),
    Entry("POST", "/desk/users", ADMINS, admin.add_user, admin.NewUser),
    Entry("PATCH", "/desk/users/{user}", ADMINS, admin.change_user, admin.UserChange),
    Entry("POST", "/desk/users/{user}/link", ADMINS, admin.user_link),
    Entry("POST", "/desk/users/{user}/sign-out", ADMINS, admin.sign_out_user),
    Entry("GET", "/desk/teams", ADMINS, admin.list_teams),
    Entry("POST", "/desk/teams", ADMINS, admin.add_team, admin.NewTeam),
    Entry("PATCH", "/desk/teams/{team}", ADMINS, admin.change_team, admin.TeamChange),
    Entry("DELETE", "/desk/teams/{team}", ADMINS, admin.remove_team),
    Entry("GET", "/desk/lines", ADMINS, admin.list_lines),
    Entry("POST", "/desk/lines", ADMINS, admin.add_line, admin.LineChange),
    Entry("PATCH", "/desk/lines/{line}", ADMINS, admin.change_line, admin.LineChange),
    Entry("DELETE", "/desk/lines/{line}", ADMINS, admin.remove_line),
    Entry("GET", "/desk/schedules", ADMINS, hours.list_schedules),
    Entry("POST", "/desk/schedules", ADMINS, hours.add_schedule, hours.ScheduleChange),
    Entry("PATCH", "/desk/schedules/{schedule}", ADMINS, hours.change_schedule, hours.ScheduleChange),
    Entry("DELETE", "/desk/schedules/{schedule}", ADMINS, hours.remove_schedule),
    Entry("GET", "/desk/tags", EVERYBODY, tags.list_tags),
    Entry("POST", "/desk/tags", ADMINS, tags.add_tag, tags.NewTag),
    Entry("PATCH", "/desk/tags/{tag}", ADMINS, tags.change_tag, tags.TagChange),
    Entry("DELETE", "/desk/tags/{tag}", ADMINS, tags.remove_tag),
    Entry("GET", "/desk/blocklist", ADMINS, blocklist.list_blocked),
    Entry("POST", "/desk/blocklist", ADMINS, blocklist.block, blocklist.NewEntry),
    Entry("PATCH", "/desk/blocklist/{entry}", ADMINS, blocklist.change_blocked, blocklist.EntryChange),
    Entry("DELETE", "/desk/blocklist/{entry}", ADMINS, blocklist.unblock),
    Entry("GET", "/desk/audit", ADMINS, audit.read_audit),
    Entry("GET", "/desk/trunks", ADMINS, admin.list_trunks),
    Entry("POST", "/desk/trunks", ADMINS, admin.add_trunk, admin.TrunkChange),
    Entry("PATCH", "/desk/trunks/{trunk}", ADMINS, admin.change_trunk, admin.TrunkChange),
    Entry("DELETE", "/desk/trunks/{trunk}", ADMINS, admin.remove_trunk),
    Entry("GET", "/desk/company", ADMINS, admin.read_company),
    Entry("PATCH", "/desk/company", ADMINS, admin.change_company, admin.CompanyChange),
    Entry("GET", "/desk/checklist", ADMINS, admin.read_checklist),
    Entry("POST", "/desk/checklist", ADMINS, admin.tick, admin.Tick),
    Entry("POST", "/desk/testcall", ADMINS, admin.test_call, admin.TestCall),
)

# The WebSocket is authorised like EVERYBODY by its own handler (realtime.py).
REALTIME: Final = "/realtime"
