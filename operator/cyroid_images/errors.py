"""Why something is not as wanted: the one list of reasons, and the one tree of errors.

A reason is a word for machines and people alike: it stands in conditions, events
and metrics, and the table in the README is generated from it. An error carries the
reason it leads to and the evidence (what, on what, why), never a bool. Whoever
catches one decides by `reason`, not by reading the message.

    CyroidError
    ├── InvalidReference        a name that is no image reference
    ├── InvalidSpec             an object that breaks a rule of its kind
    ├── Cancelled               we cut the work ourselves; not an outage
    ├── TransferError           talking to a registry, an engine or an archive failed
    ├── ApiUnavailable          no usable answer from the Kubernetes API
    │   └── AccessDenied        it does not let us: a right is missing
    ├── StatusConflict          the object changed since the pass read it
    └── StatusRejected          the Kubernetes API refuses the status itself
"""

from __future__ import annotations

from enum import Enum, StrEnum


class Mark(Enum):
    """What a reason leads to when it stands beside `Ready`."""

    GOOD = "+"
    """As asked, or in progress."""
    TRANSIENT = "T"
    """Tried again by itself, with a growing pause."""
    WAITING = "W"
    """Something else must appear first; its event ends the wait."""
    TERMINAL = "X"
    """Only a change of spec, of a Secret or outside of the operator can help."""
    INTEGRITY = "I"
    """Content is not what its digest says; repaired once, then terminal."""
    EVENT = "e"
    """Stands in events only, never in a condition."""


class Reason(StrEnum):
    """Stable CamelCase words; `mark` and `meaning` are looked up in `REASONS`."""

    ALL_IMAGES_PRESENT = "AllImagesPresent"
    ALL_IMAGES_CACHED = "AllImagesCached"
    AVAILABLE = "Available"
    PROGRESSING = "Progressing"
    PROGRESSING_WITH_RETRY = "ProgressingWithRetry"
    SUSPENDED = "Suspended"
    NEW_DIGEST = "NewDigest"
    SOURCE_CHANGED = "SourceChanged"
    REFILLING = "Refilling"
    NOT_NEEDED = "NotNeeded"
    FORCED_BY_SPEC = "ForcedBySpec"
    IMAGES_MISSING = "ImagesMissing"
    NO_TARGETS = "NoTargets"
    POD_NOT_READY = "PodNotReady"
    WAITING_FOR_ENGINE = "WaitingForEngine"
    ENGINE_UNREACHABLE = "EngineUnreachable"
    ENGINE_TOO_OLD = "EngineTooOld"
    ENGINE_TOO_NEW = "EngineTooNew"
    TLS_REJECTED = "TLSRejected"
    TARGET_IDENTITY_MISMATCH = "TargetIdentityMismatch"
    HOST_NETWORK_REFUSED = "HostNetworkRefused"
    INSUFFICIENT_STORAGE = "InsufficientStorage"
    REGISTRY_UNREACHABLE = "RegistryUnreachable"
    REGISTRY_UNREACHABLE_FROM_TARGET = "RegistryUnreachableFromTarget"
    REGISTRY_NOT_TRUSTED = "RegistryNotTrusted"
    SERVER_ERROR = "ServerError"
    RATE_LIMITED = "RateLimited"
    UNAUTHORIZED = "Unauthorized"
    REGISTRY_FULL = "RegistryFull"
    REGISTRY_READ_ONLY = "RegistryReadOnly"
    PROTOCOL_ERROR = "ProtocolError"
    UNTRUSTED_REDIRECT = "UntrustedRedirect"
    UNTRUSTED_TOKEN_REALM = "UntrustedTokenRealm"  # noqa: S105 - a reason, not a password
    COMPRESSION_UNSUPPORTED = "CompressionUnsupported"
    PUSH_NOT_DURABLE = "PushNotDurable"
    BLOB_MISSING = "BlobMissing"
    DIGEST_MISMATCH = "DigestMismatch"
    MANIFEST_DIGEST_MISMATCH = "ManifestDigestMismatch"
    PUSH_FAILED = "PushFailed"
    PULL_FAILED = "PullFailed"
    LOAD_FAILED = "LoadFailed"
    TRANSFER_INTERRUPTED = "TransferInterrupted"
    TIMEOUT = "Timeout"
    SOURCE_UNREACHABLE = "SourceUnreachable"
    IMAGE_NOT_FOUND = "ImageNotFound"
    IMAGE_REFUSED = "ImageRefused"
    IMAGE_WANTED = "ImageWanted"
    MANIFEST_SHARED = "ManifestShared"
    DELETION_REFUSED = "DeletionRefused"
    REMOVAL_FAILED = "RemovalFailed"
    PLATFORM_MISMATCH = "PlatformMismatch"
    ARCHIVE_MISSING = "ArchiveMissing"
    ARCHIVE_INVALID = "ArchiveInvalid"
    SECRET_MISSING = "SecretMissing"  # noqa: S105 - a reason, not a password
    SECRET_UNREADABLE = "SecretUnreadable"  # noqa: S105 - a reason, not a password
    SECRET_HOST_MISMATCH = "SecretHostMismatch"  # noqa: S105 - a reason, not a password
    HOST_NOT_ALLOWED = "HostNotAllowed"
    NAMESPACE_NOT_ALLOWED = "NamespaceNotAllowed"
    CACHE_NOT_FOUND = "CacheNotFound"
    CACHE_NOT_READY = "CacheNotReady"
    CONFLICTING_IMAGES = "ConflictingImages"
    INVALID_REFERENCE = "InvalidReference"
    TAG_REQUIRED = "TagRequired"
    INVALID_SPEC = "InvalidSpec"
    INTERNAL_ERROR = "InternalError"
    RBAC_DENIED = "RBACDenied"
    STATUS_REJECTED = "StatusRejected"
    LEADER_ELECTED = "LeaderElected"
    IMAGE_PUSHED = "ImagePushed"
    IMAGE_REMOVED = "ImageRemoved"
    IMAGE_DELIVERED = "ImageDelivered"
    IMAGE_BUILT = "ImageBuilt"
    REGISTRY_RECOVERED = "RegistryRecovered"
    REGISTRY_TAG_DRIFT = "RegistryTagDrift"
    PARTIAL_PLATFORM_IMAGE = "PartialPlatformImage"
    TARGET_REPLACED = "TargetReplaced"
    DRIFT_CORRECTED = "DriftCorrected"
    INSECURE_ENDPOINT = "InsecureEndpoint"
    COLLECTED = "Collected"
    COLLECTION_FAILED = "CollectionFailed"

    @property
    def mark(self) -> Mark:
        return REASONS[self][0]

    @property
    def meaning(self) -> str:
        return REASONS[self][1]


REASONS: dict[Reason, tuple[Mark, str]] = {
    Reason.ALL_IMAGES_PRESENT: (Mark.GOOD, "every wanted image is proven in every target"),
    Reason.ALL_IMAGES_CACHED: (Mark.GOOD, "every wanted image is proven in the registry"),
    Reason.AVAILABLE: (Mark.GOOD, "the registry, the sources or the engines answer"),
    Reason.PROGRESSING: (Mark.GOOD, "the first look or a transfer is under way"),
    Reason.PROGRESSING_WITH_RETRY: (Mark.GOOD, "an attempt failed; the next one is scheduled"),
    Reason.SUSPENDED: (Mark.GOOD, "spec.suspend is true, and not every image is there"),
    Reason.NEW_DIGEST: (Mark.GOOD, "a tag moved; the new content is on its way"),
    Reason.SOURCE_CHANGED: (
        Mark.GOOD,
        "the image changed at its source during the transfer; starting again",
    ),
    Reason.REFILLING: (Mark.GOOD, "the registry lost images; pushing them again"),
    Reason.NOT_NEEDED: (Mark.GOOD, "no wanted image came by tar"),
    Reason.FORCED_BY_SPEC: (Mark.GOOD, "images come by tar because delivery is TarOnly"),
    Reason.IMAGES_MISSING: (
        Mark.TRANSIENT,
        "several reasons; status.missing or status.imageStatuses names each image",
    ),
    Reason.NO_TARGETS: (
        Mark.WAITING,
        "no pod matches the selector and carries the label cyroid.io/component=dind",
    ),
    Reason.POD_NOT_READY: (Mark.WAITING, "the engine container of the pod does not run yet"),
    Reason.WAITING_FOR_ENGINE: (Mark.WAITING, "the engine in the pod does not listen yet"),
    Reason.ENGINE_UNREACHABLE: (
        Mark.TRANSIENT,
        "the engine refuses the connection or does not answer",
    ),
    Reason.ENGINE_TOO_OLD: (Mark.TERMINAL, "the engine's API is older than 1.41 (Docker 20.10)"),
    Reason.ENGINE_TOO_NEW: (Mark.TERMINAL, "the engine's oldest API is newer than 1.48"),
    Reason.TLS_REJECTED: (Mark.TERMINAL, "TLS failed; the message names the party and the cause"),
    Reason.TARGET_IDENTITY_MISMATCH: (
        Mark.TRANSIENT,
        "another engine answers at the address of the target",
    ),
    Reason.HOST_NETWORK_REFUSED: (Mark.EVENT, "a pod on the host network is ignored"),
    Reason.INSUFFICIENT_STORAGE: (Mark.TRANSIENT, "no space left on the disk of the engine"),
    Reason.REGISTRY_UNREACHABLE: (
        Mark.TRANSIENT,
        "the registry refuses the connection or does not answer",
    ),
    Reason.REGISTRY_UNREACHABLE_FROM_TARGET: (
        Mark.TRANSIENT,
        "the operator reaches the registry, the engine does not",
    ),
    Reason.REGISTRY_NOT_TRUSTED: (
        Mark.TERMINAL,
        "the engine does not trust the registry: CA or insecure-registries entry missing",
    ),
    Reason.SERVER_ERROR: (Mark.TRANSIENT, "the registry or an upstream answers with HTTP 5xx"),
    Reason.RATE_LIMITED: (
        Mark.TRANSIENT,
        "too many requests (HTTP 429); waiting as long as the server says",
    ),
    Reason.UNAUTHORIZED: (Mark.TERMINAL, "credentials are missing or refused (HTTP 401 or 403)"),
    Reason.REGISTRY_FULL: (Mark.TRANSIENT, "no space left in the registry"),
    Reason.REGISTRY_READ_ONLY: (Mark.TERMINAL, "the registry refuses writes"),
    Reason.PROTOCOL_ERROR: (Mark.TRANSIENT, "the response is malformed or too large"),
    Reason.UNTRUSTED_REDIRECT: (Mark.TERMINAL, "a redirect to another host was refused"),
    Reason.UNTRUSTED_TOKEN_REALM: (
        Mark.TERMINAL,
        "the token host is not among the hosts of the source",
    ),
    Reason.COMPRESSION_UNSUPPORTED: (
        Mark.TERMINAL,
        "the engine cannot read Zstd layers; set registry.compression to Gzip",
    ),
    Reason.PUSH_NOT_DURABLE: (Mark.INTEGRITY, "the registry accepted a push and does not have it"),
    Reason.BLOB_MISSING: (Mark.INTEGRITY, "a blob is missing or has the wrong size"),
    Reason.DIGEST_MISMATCH: (Mark.INTEGRITY, "content does not match its digest"),
    Reason.MANIFEST_DIGEST_MISMATCH: (Mark.INTEGRITY, "a manifest does not match its digest"),
    Reason.PUSH_FAILED: (Mark.TRANSIENT, "a push failed; the message says why"),
    Reason.PULL_FAILED: (Mark.TRANSIENT, "a pull failed; the message says why"),
    Reason.LOAD_FAILED: (Mark.TRANSIENT, "docker load failed; the message says why"),
    Reason.TRANSFER_INTERRUPTED: (Mark.TRANSIENT, "the connection was closed during a transfer"),
    Reason.TIMEOUT: (Mark.TRANSIENT, "no byte for timeouts.stall, or longer than timeouts.total"),
    Reason.SOURCE_UNREACHABLE: (
        Mark.TRANSIENT,
        "a source that is needed refuses the connection or does not answer",
    ),
    Reason.IMAGE_NOT_FOUND: (Mark.TERMINAL, "neither the registry nor any source has the image"),
    Reason.IMAGE_REFUSED: (Mark.TERMINAL, "the engine rejects the configuration of the image"),
    Reason.IMAGE_WANTED: (Mark.WAITING, "not removed: a range wants it, or spec.images lists it"),
    Reason.MANIFEST_SHARED: (
        Mark.WAITING,
        "another image needs the manifest, and the registry removes no tag alone",
    ),
    Reason.DELETION_REFUSED: (Mark.TERMINAL, "the registry deletes nothing; the message says why"),
    Reason.REMOVAL_FAILED: (Mark.TRANSIENT, "a removal failed; the message says why"),
    Reason.PLATFORM_MISMATCH: (Mark.TERMINAL, "the image is not for the wanted platform"),
    Reason.ARCHIVE_MISSING: (Mark.TERMINAL, "no archive at the path in the archive volume"),
    Reason.ARCHIVE_INVALID: (Mark.TERMINAL, "the archive is truncated or holds no image"),
    Reason.SECRET_MISSING: (Mark.TERMINAL, "the Secret or one of its keys does not exist"),
    Reason.SECRET_HOST_MISMATCH: (Mark.TERMINAL, "the Secret has credentials for another host"),
    Reason.HOST_NOT_ALLOWED: (
        Mark.TERMINAL,
        "no upstream of the cache lists the host of the image",
    ),
    Reason.NAMESPACE_NOT_ALLOWED: (
        Mark.TERMINAL,
        "allowedNamespaces of the cache excludes the namespace",
    ),
    Reason.CACHE_NOT_FOUND: (Mark.WAITING, "the ImageCache does not exist"),
    Reason.CACHE_NOT_READY: (
        Mark.WAITING,
        "the ImageCache cannot get the image; its admin must act",
    ),
    Reason.SECRET_UNREADABLE: (
        Mark.TRANSIENT,
        "the Secret cannot be read from the Kubernetes API, and no earlier value is known",
    ),
    Reason.CONFLICTING_IMAGES: (
        Mark.TERMINAL,
        "an older RangeImages wants that name with other content in the same pod",
    ),
    Reason.INVALID_REFERENCE: (Mark.TERMINAL, "not an image reference"),
    Reason.TAG_REQUIRED: (
        Mark.TERMINAL,
        "an image in a RangeImages needs a tag",
    ),
    Reason.INVALID_SPEC: (Mark.TERMINAL, "the stored object breaks a rule of its schema"),
    Reason.INTERNAL_ERROR: (
        Mark.TERMINAL,
        "a defect of the operator; its log has the traceback under the id in the message",
    ),
    Reason.RBAC_DENIED: (Mark.TERMINAL, "the operator lacks a permission; the message names it"),
    Reason.STATUS_REJECTED: (
        Mark.EVENT,
        "the API server refused the status: are the CRDs older than the operator?",
    ),
    Reason.LEADER_ELECTED: (Mark.EVENT, "this operator holds the Lease"),
    Reason.IMAGE_PUSHED: (Mark.EVENT, "an image was pushed into the registry and verified"),
    Reason.IMAGE_REMOVED: (Mark.EVENT, "an image was removed from the registry, and is gone"),
    Reason.IMAGE_DELIVERED: (
        Mark.EVENT,
        "an image was delivered into a target and verified; the message names the route",
    ),
    Reason.IMAGE_BUILT: (Mark.EVENT, "an engine source has a new image that the registry lacks"),
    Reason.REGISTRY_RECOVERED: (Mark.EVENT, "the registry answers again"),
    Reason.REGISTRY_TAG_DRIFT: (Mark.EVENT, "somebody moved a tag in the registry"),
    Reason.PARTIAL_PLATFORM_IMAGE: (
        Mark.EVENT,
        "the image index lists platforms that are not there",
    ),
    Reason.TARGET_REPLACED: (Mark.EVENT, "a new pod or container took the place of a target"),
    Reason.DRIFT_CORRECTED: (
        Mark.EVENT,
        "an image was removed or retagged in a target; delivering it again",
    ),
    Reason.INSECURE_ENDPOINT: (Mark.EVENT, "an engine is used without TLS, as the spec says"),
    Reason.COLLECTED: (Mark.EVENT, "the disk of the registry was freed of what no tag needs"),
    Reason.COLLECTION_FAILED: (
        Mark.TRANSIENT,
        "the disk of the registry could not be freed; status.collection says why",
    ),
}
"""Every reason once: what it leads to and what it means."""


class CyroidError(Exception):
    """The root of everything this program raises on purpose."""


class InvalidReference(CyroidError):
    """A text is not an image reference; the message says which rule it breaks."""


class InvalidSpec(CyroidError):
    """An object breaks a rule of its kind, although the API server stored it.

    That happens when the stored schema is older than the operator. `path` is the field
    (`spec.timeouts`), `rule` what it breaks; neither repeats the value, which may be secret.
    """

    def __init__(self, path: str, rule: str, *, reason: Reason = Reason.INVALID_SPEC) -> None:
        super().__init__(f"{path}: {rule}")
        self.path = path
        self.rule = rule
        self.reason = reason


class Cancelled(CyroidError):
    """The work was cut by its own CancelScope; nobody outside is to blame."""


class TransferError(CyroidError):
    """A registry, an engine or an archive did not do what was asked.

    `reason` is the decision it leads to, `retry_after` the pause in seconds that the
    other side asked for, if it did.
    """

    def __init__(self, reason: Reason, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retry_after = retry_after


class ApiUnavailable(CyroidError):
    """The Kubernetes API gave no usable answer: what was asked is unknown, not absent.

    `retry_after` is the pause in seconds that it asked for, if it did.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class AccessDenied(ApiUnavailable):
    """The Kubernetes API answers 401 or 403; the message names verb and path."""


class StatusConflict(CyroidError):
    """The object is no longer the one that was read: edited, or made again. Read it again."""


class StatusRejected(CyroidError):
    """The API server takes no such status: our defect, or a CRD older than the operator."""
