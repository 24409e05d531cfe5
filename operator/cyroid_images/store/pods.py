"""The pods by UID, and those that a selector may mean without a look at all others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.pod import Pod
from cyroid_images.store.by_namespace import ByNamespace


class Pods(ByNamespace[str, Pod]):
    """A namespace may hold a thousand engines, and each pass asks for the two of its range."""

    def __init__(self) -> None:
        self._labelled: defaultdict[tuple[str, str, str], dict[str, Pod]] = defaultdict(dict)
        super().__init__(lambda pod: pod.namespace)

    def selected_by(self, wanted: RangeImages) -> tuple[Pod, ...]:
        """The pods of its namespace that its selector matches."""
        return tuple(pod for pod in self._near(wanted).values() if wanted.selects(pod))

    def _near(self, wanted: RangeImages) -> Mapping[str, Pod]:
        """Few pods with all that are selected among them: those with its rarest label."""
        namespace = wanted.metadata.namespace or ""
        labels = wanted.spec.targets.selector.match_labels
        empty: dict[str, Pod] = {}
        found = [self._labelled.get((namespace, *label), empty) for label in labels.items()]
        return min(found, key=len) if found else self.within(namespace)

    def __setitem__(self, key: str, pod: Pod) -> None:
        super().__setitem__(key, pod)
        for label in pod.labels.items():
            self._labelled[pod.namespace, *label][key] = pod

    def __delitem__(self, key: str) -> None:
        pod = self.data[key]
        super().__delitem__(key)
        for label in pod.labels.items():
            place = (pod.namespace, *label)
            del self._labelled[place][key]
            if not self._labelled[place]:
                del self._labelled[place]
