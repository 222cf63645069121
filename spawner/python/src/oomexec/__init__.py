"""Start children that the kernel kills before the gateway when memory runs out."""

from oomexec._exit import ExitKind, Explanation, OomKills, explain_exit, read_oom_kills
from oomexec._find import Found, Rejected, Rejection, find_oomexec
from oomexec._prepare import Prepared, Via, Why, prepare

__all__ = [
    "ExitKind",
    "Explanation",
    "Found",
    "OomKills",
    "Prepared",
    "Rejected",
    "Rejection",
    "Via",
    "Why",
    "explain_exit",
    "find_oomexec",
    "prepare",
    "read_oom_kills",
]
