"""What the API takes and tells of tags and stars."""

import uuid
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from app.responses.marking import MarksOf
from app.responses.shapes import EXAMPLE
from app.responses.tag_models import TAG_NAME_LIMIT, Tag
from app.surveys.inputs import Input

EXAMPLE_TAG = "7d1a2c64-3b9e-4d53-9a0e-6f4f0b7f2a11"
_ANSWER: Any = EXAMPLE["id"]
MOST_BY_API = 1_000
MOST_TAGS_AT_ONCE = 10
TagIds = Annotated[list[uuid.UUID], Field(max_length=MOST_TAGS_AT_ONCE)]


class TagInput(Input):
    """What a tag is called; judged by `clean_tag_name`."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "Delivery"}})

    name: Annotated[
        str,
        Field(json_schema_extra={"minLength": 1, "maxLength": TAG_NAME_LIMIT, "pattern": r"\S"}),
    ]


class MergerInput(Input):
    """The tag that another one is merged into."""

    model_config = ConfigDict(json_schema_extra={"example": {"into": EXAMPLE_TAG}})

    into: uuid.UUID


class MarksInput(Input):
    """Marks for many answers. Those that the survey has not (any more) are passed over."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"response_ids": [_ANSWER], "add_tags": [EXAMPLE_TAG], "starred": True}
        }
    )

    response_ids: list[uuid.UUID] = Field(min_length=1, max_length=MOST_BY_API)
    add_tags: TagIds = Field(default_factory=list)
    remove_tags: TagIds = Field(default_factory=list)
    starred: StrictBool | None = Field(None, description="Left out: stars stay as they are")


class TagShape(BaseModel):
    """A tag of a survey."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"id": EXAMPLE_TAG, "name": "Delivery"}},
        from_attributes=True,
    )

    id: uuid.UUID
    name: str

    @classmethod
    def of(cls, tag: Tag) -> Self:
        return cls(id=tag.id, name=tag.name)


class MarksShape(BaseModel):
    """The tags and the star of one answer."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "response_id": _ANSWER,
                "tags": [{"id": EXAMPLE_TAG, "name": "Delivery"}],
                "starred": False,
            }
        }
    )

    response_id: uuid.UUID
    tags: list[TagShape]
    starred: bool

    @classmethod
    def of(cls, marks: MarksOf) -> Self:
        tags = [TagShape.of(tag) for tag in marks.tags]
        return cls(response_id=marks.response_id, tags=tags, starred=marks.is_starred)


class MarkedShape(BaseModel):
    """How many answers were marked."""

    model_config = ConfigDict(json_schema_extra={"example": {"response_count": 12}})

    response_count: int
