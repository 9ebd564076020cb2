"""What the formats of images call the parts of an image, by their media types."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """The media types of one format."""

    manifest: str
    config: str
    # Of one that is not compressed.
    layer: str


# https://github.com/opencontainers/image-spec/blob/main/media-types.md
OCI = Format(
    manifest="application/vnd.oci.image.manifest.v1+json",
    config="application/vnd.oci.image.config.v1+json",
    layer="application/vnd.oci.image.layer.v1.tar",
)
# https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/manifest-v2-2.md, which names no layer that is not
# compressed; containers/image calls it so. In an image of this format alone engines look for a health check.
DOCKER = Format(
    manifest="application/vnd.docker.distribution.manifest.v2+json",
    config="application/vnd.docker.container.image.v1+json",
    layer="application/vnd.docker.image.rootfs.diff.tar",
)
