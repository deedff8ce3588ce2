"""Large work, done beside the service: the table of jobs says what there is to do, a queue carries word of it, and ``quebu work`` does it.

``api/jobs`` and ``api/cohorts`` queue jobs. ``consumer`` runs in a process of its own: its threads claim jobs and beat for them (``foreman``), while the work
itself is done in one more process each (``hand``), which can be stopped at any moment and may die without taking anybody with it. ``reaper`` gives back what
a dead consumer held. ``beside`` starts ``quebu work`` with the service.
"""
