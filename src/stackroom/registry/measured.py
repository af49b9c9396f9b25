"""What a registry offers for what production measures: recording it, reading it, and holding it against monitors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.registry.reading import Reader

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from stackroom.core.names import Ref
    from stackroom.registry.observing import Monitoring, Observed
    from stackroom.store.observations import ObservationReading


class Measured(Reader):
    """A registry to read, and to record observations in."""

    def observe(
        self, ref: str | Ref, metrics: Mapping[str, float], *, at: datetime | None = None, dry_run: bool = False
    ) -> Observed:
        """Record what was measured of a version after it was released; waits for the disk.

        Args:
            ref: the version.
            metrics: name to number; also numpy's and others that Python knows as numbers.
            at: when it was measured; now without.
            dry_run: check, and write nothing.

        Raises:
            NotFoundError: no such version.
            InvalidInputError: a name or value is not allowed, or the time is still to come.
            PermissionDeniedError: the kernel refuses.
        """
        from stackroom.registry import observing  # noqa: PLC0415 - few registries have observations

        return observing.observe(self, ref, metrics, at=at, dry_run=dry_run)

    def observations(self, ref: str | Ref | None = None) -> ObservationReading:
        """What was observed of a version, of all versions of a model, or of everything.

        Reads at most 64 MiB, of the files that changed last; what is left out, broken or foreign is part of the answer.

        Raises:
            NotFoundError: the reference names a stage's holder or a label that there is not.
            RegistryError: the folder cannot be read: that is not silence.
        """
        from stackroom.registry import observing  # noqa: PLC0415 - few registries have observations

        return observing.observed(self, ref)

    def monitor(self, model: str | None = None, stage: str | None = None) -> Monitoring:
        """Check all that hold a stage, or those of one model or one stage, against the stage's ``monitor``.

        Raises:
            NotFoundError: no such model or stage.
            RegistryError: ``registry.toml``, a ledger or the observations cannot be read: that is not health.
        """
        from stackroom.registry import observing  # noqa: PLC0415 - few registries have observations

        return observing.monitor(self, model, stage)
