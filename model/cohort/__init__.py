"""Many people at once: one plan for a whole roster, with a certificate, and all that is told about it.

Read in this order: what is lacked and what could be held (``choices``, ``demand``), what may be asked (``rules``), how an answer is found and proved
(``program``), the three kinds of plan (``class_plan``; ``placing`` and ``split``; ``menu_program``, ``seating``, ``menu_search`` and ``menu``), what stands
beside a plan (``quotas``, ``pairing``, ``follow``, ``rival``), and the sheets that are filed (``filing``, ``need_reports``, ``care_reports``, ``plan_reports``).
"""
