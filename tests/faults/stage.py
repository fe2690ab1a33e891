"""`python -m tests.faults.stage STUDENTS EXAMS`: students with tokens and exams for them, printed as JSON."""

import json
import sys
from datetime import timedelta

import django

QUESTIONS = 30


def main(students, exams):
    django.setup()
    from django.utils import timezone

    from accounts.models import Institute, User
    from accounts.tokens import StudentToken
    from tests.conftest import PASSWORD, make_exam, make_question

    Institute.objects.get_or_create(pk=Institute.ID, defaults={"name": "Faults"})
    first = User(username="first")
    first.set_password(PASSWORD)
    users = User.objects.bulk_create(
        User(username=f"student{n}", email=f"student{n}@example.com", password=first.password) for n in range(students)
    )
    bank = [make_question("C" if n % 3 == 2 else "R", key=(0, 1) if n % 3 == 2 else (0,)) for n in range(QUESTIONS)]
    made = [
        make_exam(
            f"Exam {n}",
            questions=bank,
            start_date=timezone.now() - timedelta(hours=1),
            duration=timedelta(hours=3),
            enable_ranks=True,
        )
        for n in range(exams)
    ]
    keys = [dict(question.answers.order_by("pk").values_list("pk", "is_correct")) for question in bank]
    return {
        "students": [{"username": user.username, "token": str(StudentToken.for_user(user))} for user in users],
        "password": PASSWORD,
        "exams": [{"id": exam.pk, "slug": exam.slug} for exam in made],
        # By the least id of its answers, as students can tell a question.
        "key": {min(answers): [answer for answer, is_correct in answers.items() if is_correct] for answers in keys},
    }


if __name__ == "__main__":
    json.dump(main(*map(int, sys.argv[1:])), sys.stdout)
