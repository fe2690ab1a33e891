"""What must be true of the database after a fault, by plain SQL and a plain grading of its own."""

from decimal import ROUND_HALF_UP, Decimal


def lost_answers(database, students):
    """Acknowledged answers that are not in the database, as (item, acknowledged, stored)."""
    told = {item: selected for student in students for item, selected in student.acknowledged.items()}
    kept = dict(
        database.execute(
            "SELECT id, selected_answers FROM attempts_attemptitem WHERE id = ANY(%s)", [list(told)]
        ).fetchall()
    )
    return [(item, selected, kept.get(item)) for item, selected in told.items() if kept.get(item) != selected]


def two_running(database):
    """Students with two running attempts at an exam."""
    return database.execute(
        """SELECT user_id, exam_id FROM attempts_attempt WHERE state = 'Running'
           GROUP BY user_id, exam_id HAVING count(*) > 1"""
    ).fetchall()


def half_ended(database):
    """Attempts whose columns contradict each other, or whose sheet is not whole."""
    return database.execute(
        """SELECT a.id FROM attempts_attempt a
           LEFT JOIN (SELECT attempt_id, count(*) AS items, coalesce(sum(duration), '0') AS given
                      FROM attempts_attemptitem GROUP BY attempt_id) s ON s.attempt_id = a.id
           LEFT JOIN (SELECT exam_id, count(*) AS questions FROM exams_examquestion GROUP BY exam_id) q
             ON q.exam_id = a.exam_id
           WHERE s.items IS DISTINCT FROM q.questions
              OR a.time_allowed - a.remaining_time <> s.given + a.unattributed_time
              OR (a.state = 'Running' AND (a.ranked OR a.score <> 0 OR a.seconds_taken <> 0
                    OR a.correct_count + a.incorrect_count + a.unanswered_count <> 0))
              OR (a.state = 'Completed' AND (a.correct_count + a.incorrect_count + a.unanswered_count <> q.questions
                    OR NOT a.ranked))"""
    ).fetchall()


def graded(sheet, key):
    """The result of a sheet {question: selected answers} by the key: one mark for right, a quarter off for wrong."""
    correct = sum(sorted(sheet[question]) == key[question] for question in key)
    incorrect = sum(bool(sheet[question]) and sorted(sheet[question]) != key[question] for question in key)
    score = Decimal(correct) - Decimal(incorrect) / 4
    percentage = (score * 100 / len(key)).quantize(Decimal(1), ROUND_HALF_UP)
    return {
        "score": f"{score:.2f}",
        "percentage": f"{int(percentage)}",
        "correct_count": correct,
        "incorrect_count": incorrect,
        "unanswered_count": len(key) - correct - incorrect,
    }


def sheet_of(student):
    """What the student was told is on the sheet."""
    return {question: student.acknowledged.get(item, []) for item, question, _, _ in student.items}


def wrong_results(students, key):
    """Results that are not those of the acknowledged sheets, as (attempt, expected, told)."""
    found = []
    for student in students:
        expected = graded(sheet_of(student), key) | {"state": "Completed"}
        told = {name: student.result[name] for name in expected}
        if told != expected:
            found.append((student.attempt, expected, told))
    return found


def seconds(text):
    hours, minutes, rest = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(rest)


def ranks(database, exam):
    """The rank of each attempt at the exam, counted plainly: higher score first, then less time."""
    rows = database.execute(
        "SELECT id, score, seconds_taken FROM attempts_attempt WHERE exam_id = %s AND ranked", [exam]
    ).fetchall()
    return {pk: 1 + sum((-other, slower) < (-score, taken) for _, other, slower in rows) for pk, score, taken in rows}
