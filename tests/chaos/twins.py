"""Doctors who are on record twice, and what becomes of their credits when the two records become
one: what stands for the closed one is taken back, and stands for the one who is kept unless the
same programme of that session stands for him already. From then on the numbers of both lead to him.
"""

TWINS_MOST = 400  # pairs
TRIED_MOST = 100  # of them at a time


def choose_twins(chance, doctors, leaders):
    """Pairs (kept, closed) of doctors who differ in nothing that a row is judged by: active, without
    certificate, no leaders. Without an address too, so that one mail for each upload and doctor
    stays the rule; and not neighbours, whose numbers rows give together as those of two doctors."""
    plain = [n for n in range(doctors.with_mail, doctors.count) if n not in leaders and not (
        doctors.closed[n] or doctors.waits[n] or doctors.certified[n])]
    chosen = chance.sample(plain, min(2 * TWINS_MOST, len(plain) // 2 * 2))
    return [pair for pair in zip(chosen[::2], chosen[1::2])
            if (pair[0] - pair[1]) % doctors.count not in (1, doctors.count - 1)]


class Twins:
    """The part of the world that knows them. Everything here is called under the load's lock."""

    def find_twins(self):
        leaders = {s.leader for one in self.seminars for s in one.sessions}
        self.twins = choose_twins(self.chance, self.doctors, leaders)
        self.twin_doctors = {n for pair in self.twins for n in pair}
        self.merged = []  # (kept, closed)

    def choose_merge(self):
        """(kept, closed, credits of rows under way) of a pair of which it is certain what will
        stand in the end; None when there is none now. No file that is made from now on, and nothing
        that is taken back or mended, has to do with it until merge()."""
        rows = {}  # of files whose rows are judged, or mended, just now: (doctor, place)
        for seminar in self.seminars:
            if seminar.last and (seminar.held or not seminar.last.settled):
                rows[seminar] = [(n, place) for n, place, _ in seminar.last.items
                                 if n in self.twin_doctors]
        for pair in self.twins[:TRIED_MOST]:
            if all(_certain(seminar, rows.get(seminar, ()), *pair) for seminar in self.seminars):
                self.twins.remove(pair)
                self.pending.update(pair)
                return *pair, [entry for seminar in rows for place in range(len(seminar.sessions))
                               for entry in seminar.stands.get((pair[1], place), {}).values()
                               if entry.file is seminar.last and not entry.file.settled]
        return None

    def merge(self, kept, closed, at_once):
        """The two are one. `at_once`: credits of rows that posted for the kept one, since their
        turn came after the merge."""
        self.doctors.who[closed] = kept
        for seminar in self.seminars:
            if seminar.last:  # what their rows would be mended to now depends on who stood when
                seminar.last.mendable = [row for row in seminar.last.mendable
                                         if row[1] not in (kept, closed)]
            for place in range(len(seminar.sessions)):
                for programme, entry in seminar.stands.pop((closed, place), {}).items():
                    file, line = entry.file, entry.line(entry.half_units, entry.revision)
                    if entry in at_once:
                        file.entries_text = file.entries_text.replace(line, "")
                    else:
                        file.entries_text += entry.line(-entry.half_units, entry.revision + 1)
                        seminar.revisions[closed, place, programme] = entry.revision + 2
                    if programme not in seminar.stands.get((kept, place), {}):
                        file.entries_text += "".join(seminar.post(
                            file, entry.row_no, kept, place,
                            {programme: (entry.kind, entry.half_units)}))
        self.pending -= {kept, closed}
        self.merged.append((kept, closed))

    def untouched(self, seminar):
        """Whether nobody who is just being merged has credits in it."""
        return not any((n, place) in seminar.stands for n in self.pending
                       for place in range(len(seminar.sessions)))


def _certain(seminar, rows, kept, closed):
    """Whether it makes no difference to what stands in the end which of a file's rows are judged
    before the merge and which after it. Which were, is chance."""
    mine = [place for n, place in rows if n == closed]
    others = [place for n, place in rows if n == kept]
    places = range(len(seminar.sessions))
    if seminar.held:
        return not (mine or others or any((n, place) in seminar.stands
                                          for n in (kept, closed) for place in places))
    if mine or others:
        if seminar.last.undoing:
            return False
        # The closed one's row is alone with its session.
        return not any(mine.count(place) > 1 or place in others or (kept, place) in seminar.stands
                       or any(entry.file is not seminar.last for entry in
                              seminar.stands.get((closed, place), {}).values())
                       for place in mine) and not any(
                           (closed, place) in seminar.stands for place in others)
    return True
