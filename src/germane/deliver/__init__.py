"""From a decision to a message that goes out once: campaigns, moments, approvals, outbox, channels.

Campaigns, conditions, the machine that carries them out and the scheduler are pure: no clock, no chance, no
storage but what is handed in. Whoever calls them keeps the state and does the effects. In order:

1. **Read.** ``conditions.Conditions(settings)`` once for a declaration; ``germane.config.read_campaign`` (of a
   file or a request) gives a ``compiled.Compiled``: the campaign with every condition checked.
2. **Begin.** ``entering.begun(made, view, subject, person, item)`` is where somebody stands who was never met.
   For a schedule or an audience store it for every person, when the campaign is pushed and when a person is
   first seen: its ``due_ms`` is when the clock looks at them. For events it may be forgotten while it says
   nothing (``phase == "outside"`` without ``times`` or ``counted``).
3. **Tell it what happened**, inside the transaction that folds the record, after the profile was folded:

   * an event: ``compiled.listens_to(campaign)`` says whether it can matter; ``compiled.subjects`` names whose
     enrolments it concerns (and every stored one of the person that is ``inside``);
     ``entering.on_event(made, state, view)`` with ``view.event`` and ``view.items``;
   * a catalogue change: ``domain.campaign.changes_of(before, after, …)``; for each stored enrolment with that
     ``item``: ``entering.on_change(made, state, view)`` with ``view.change``;
   * the clock: for each enrolment with ``0 < look_ms <= now``, unless its campaign is paused:
     ``entering.on_clock(made, state, view)``;
   * two people became one: ``merging.merged(made, survivor, other)``;
   * consent withdrawn: ``entering.expelled(made, state, view, why)``;
   * consent given, or found to stand after a message was settled or people were merged:
     ``consenting.given(made, state, view, newly=…)`` marks whom the clock looks at once more.

   Each answers ``(state, effects)``. Store the state. Effects are ``Compose`` (make a message; the same one
   always has the same ``key``) and ``Cancel`` (take it back if it has not gone out). Of a campaign that is
   ``dry`` the message is recorded, not sent; settle it as not sent.
4. **Plan.** For a ``Compose``: ``policy.policy_of(campaign, step, settings.delivery)``, then
   ``planning.plan(policy, ask)`` with the person's sends and reserved places (of the longest cap's time, both
   ways) read in the same transaction; ``default_zone`` is ``settings.default_zone``. Store the plan with its
   reasons; reserve the place (``Sent(…, waiting=True)``). Messages that ``takes`` names lose theirs: plan each
   of them again, after this one. A plan without a time is settled as not sent.
5. **Release.** When its time has come, in the transaction that claims it: ``entering.unwanted(made, state,
   view)`` says whether it is still relevant (the item can still be had, ``exit.when``, ``still``); then
   ``planning.release(policy, ask, plan)``. *send*: it goes (its ``Sent`` has the real time, and waits no
   longer). *later*: store the new time. *drop*: settle it as not sent. ``takes`` as above.
6. **Settle.** ``entering.settled(made, state, view, key, sent=…, at_ms=…, why=…)`` goes on to the next step.
7. **Forget.** Enrolments that are ``entering.forgettable(made, state, now_ms)`` can be dropped when the
   housekeeping comes by.

``audience.preview`` counts, before anything of this, who would be reached and why not the others.
"""
