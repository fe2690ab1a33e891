"""What the tests of attempts share."""

import pytest

from attempts.models import Attempt
from exams.models import Answer
from tests.conftest import NOW, Api


class Sitting:
    """One student at one exam, through the API."""

    def __init__(self, user, exam):
        self.api, self.exam = Api(user), exam
        self.id = self.api.post(f"exams/{exam.slug}/attempts/", status=201)["id"]

    @property
    def stored(self):
        return Attempt.objects.get(pk=self.id)

    def items(self):
        return self.api.get(f"attempts/{self.id}/questions/")["results"]

    def path(self, item):
        return f"attempts/{self.id}/questions/{item['id']}/"

    def save(self, item, **kwargs):
        data = {key: kwargs.pop(key) for key in list(kwargs) if key not in ("status", "format")}
        return self.api.put(self.path(item), data, **kwargs)

    def answer_rightly(self, item):
        correct = Answer.objects.filter(pk__in=[answer["id"] for answer in item["question"]["answers"]])
        return self.save(item, selected_answers=[answer.pk for answer in correct if answer.is_correct])

    def answer_wrongly(self, item):
        wrong = Answer.objects.filter(pk__in=[a["id"] for a in item["question"]["answers"]], is_correct=False).first()
        return self.save(item, selected_answers=[wrong.pk])

    def get(self, tail="", data=None, **kwargs):
        return self.api.get(f"attempts/{self.id}/{tail}", data, **kwargs)

    def put(self, tail, **kwargs):
        return self.api.put(f"attempts/{self.id}/{tail}", **kwargs)


@pytest.fixture
def sit(asha, at):
    """Starts an attempt of a student (asha) at an exam, at NOW."""

    def sit(exam, user=asha):
        at(NOW)
        return Sitting(user, exam)

    return sit
