/* The election of vipkeeper in discrete time: N servers, their kernels, the wires, a gateway.

   One tick is one advert interval, and one atomic transition: at most one fault, then every host's time
   passes, adverts are delivered, and each server takes one step, in an order the checker chooses.
   docs/model.md says what is modelled, what is not, and which rule is where in the code.
   check.py knows the properties (one -DPROP_... a run), faults (-DF_...) and mutants (-DNO_..., ...). */

#ifndef N
#define N 2
#endif
#ifndef BUDGET
#define BUDGET 3          /* faults in one run, healing included */
#endif
#ifndef K
#define K 12              /* ticks after the last fault within which the cluster must have settled */
#endif
#ifndef F
#define F 2               /* suspect_after */
#endif
#ifndef LEASE
#define LEASE 4           /* kernel lease L */
#endif
#ifndef TL
#define TL (LEASE + 2)    /* T_L: how long ARP alone, or untrusted adverts, delay a claim */
#endif
#ifndef STOPPED_AFTER
#define STOPPED_AFTER 2   /* 12 unanswered rounds */
#endif
#ifndef GRACE
#define GRACE 2           /* others wait this long for a named successor */
#endif
#ifndef UNHEARD
#define UNHEARD 3         /* a holder told this often in a row that it is not heard yields */
#endif
#ifndef WITNESSED
#define WITNESSED 6       /* a holder told this often in a row that a peer follows another one yields */
#endif
#define BUDGET_B 1        /* confirm budget B */
#define DEAF_AFTER 4      /* a holder that hears nothing at all this long resigns */
#ifndef GATEWAY
#define GATEWAY 1         /* 0: the host has no gateway that could be asked */
#endif
#ifndef PROBES
#define PROBES 2          /* what kernels answer: 2 ARP and echo, 1 only ARP, 0 nothing (filtered) */
#endif
#ifndef READY
#define READY 7           /* which API servers are ready at the start, one bit a server */
#endif
#define CAP 7             /* ages are counted up to here */
#define NONE N

#define X(r, s) ((r) * N + (s))
#define MIN(a, b) ((a) < (b) -> (a) : (b))
#define INC(v, cap) v = ((v) < (cap) -> (v) + 1 : (v))
#define DEC(v) v = ((v) > 0 -> (v) - 1 : 0)

/* a host: running; its daemon stopped (SIGSTOP, SIGKILL: the kernel goes on); the whole machine
   standing still, clocks included; without power */
#define ON 0
#define STOP 1
#define STUN 2
#define OFF 3

#define LISTEN 0
#define BACKUP 1
#define SUSPECT 2
#define HOLDOFF 3
#define DEAF 4
#define HOLDER 5
#define GONE 6            /* the daemon was terminated in order */

byte mode[N];
byte lease[N];            /* what is left of the VIP's lifetime in the kernel */
bit address[N];           /* the VIP is on the interface */
bit ready[N];
bit cut[N * N];           /* cut[X(s, r)]: nothing sent by s reaches r */
bit nogateway[N];         /* the wire between server and gateway is cut */
byte adverts;             /* of all servers: 0 pass, 1 filtered, 2 arrive but cannot be trusted */
bit proxy;                /* the fabric answers ARP for the VIP, whoever has it */

byte state[N];
byte seen[N];             /* the highest epoch seen */
byte own[N];              /* the epoch of this server's claim while it holds */
byte follows[N];          /* the followed or suspected server */
byte timer[N];            /* LISTEN, BACKUP: no suspicion before it is 0 */
byte began[N];            /* SUSPECT: time since the suspicion */
byte wait[N];             /* SUSPECT: how long it asks */
bit silent[N];            /* SUSPECT, HOLDOFF: the holder fell silent (its kernel is asked), not resigned */
byte quiet[N];            /* HOLDOFF: rounds in a row without an answer for the VIP */
byte better[N];           /* SUSPECT, HOLDOFF: candidates ahead of this one at its last step */
byte since[N];            /* SUSPECT, HOLDOFF: time since the last echo, or since the suspicion */
bit got[N];               /* SUSPECT, HOLDOFF: something was received since the suspicion */
byte nothing[N];          /* time in which nothing at all was received */
byte stranger[N];         /* time since an untrusted advert */
byte unheard[N];          /* HOLDER: how often in a row another holder said that it does not hear us */
bit late[N];              /* the daemon was stopped until now */
byte resigned[N];         /* a resignation that was received and not yet read: 1 + the named server */
byte resigner[N];
byte waited[N];           /* its age */

/* what r knows of s: X(r, s) */
byte age[N * N];          /* time since the last advert, by kernel receive time */
byte holds[N * N];        /* its epoch when that advert was a holder's, else 0 */
bit hears[N * N];         /* that advert said: I hear you */
bit peerready[N * N];
bit fresh[N * N];         /* an advert that was not looked at yet */
#if N == 3
byte hearsay[N * N];      /* the age of the third server's last advert as s quotes it */
byte vouched[N];          /* the adopted age of the followed holder */
byte elsewhere[N];        /* HOLDER: how often in a row a peer that hears us said that it follows another */
#endif

byte faults = BUDGET;
byte rest;                /* ticks since the last fault, to K */
byte turn;                /* which server steps first */

/* observers */
bit twice;                /* two servers at a claim */
bit wrong;                /* a claim, or the lack of one, that a property forbids */
#ifdef PROP_S6
byte isolated[N];         /* ticks in which nothing could reach this server */
#endif
#ifdef PROP_P2
byte named = NONE;
byte delayed;             /* ticks the named server could not run, or could not be reached */
#endif
#ifdef PROP_E1
byte newest;              /* the highest epoch that serves */
#endif

hidden byte me, i, j, h, n, m, x;
hidden byte echo, arp, kernel, sound, healed;

#define SERVES(s) (address[s] && lease[s] > 0 && (mode[s] == ON || mode[s] == STOP))
#define KERNEL(s) (mode[s] == ON || mode[s] == STOP)
#define PATH(a, b) (!cut[X(a, b)] && !cut[X(b, a)])
#ifdef RANK_WITHOUT_HEALTH
#define RANKS(ra, a, rb, b) ((a) < (b))
#else
#define RANKS(ra, a, rb, b) BETTER(ra, a, rb, b)
#endif
#define BETTER(ra, a, rb, b) ((ra) > (rb) || ((ra) == (rb) && (a) < (b)))
#define WAITING(s) (state[s] <= DEAF)

inline hear(r, s) {
    if
    :: !cut[X(s, r)] && KERNEL(r) && state[r] != GONE && adverts == 0 ->
        age[X(r, s)] = 0;
        holds[X(r, s)] = (state[s] == HOLDER -> own[s] : 0);
        hears[X(r, s)] = (age[X(s, r)] < F);
        peerready[X(r, s)] = ready[s];
        fresh[X(r, s)] = 1;
        x = (state[s] == HOLDER -> own[s] : seen[s]);
        seen[r] = (x > seen[r] -> x : seen[r]);
#if N == 3
        h = 3 - (r) - (s);
#ifdef HEARSAY_REFRESHES
        hearsay[X(r, s)] = (state[s] == BACKUP && follows[s] == h -> 0 : CAP)
#else
        hearsay[X(r, s)] = (state[s] == BACKUP && follows[s] == h -> age[X(s, h)] : CAP)
#endif
#endif
    :: !cut[X(s, r)] && KERNEL(r) && state[r] != GONE && adverts == 2 -> stranger[r] = 0
    :: else
    fi
}

inline tell(s) {
    j = 0;
    do
    :: j < N -> if :: j != s -> hear(j, s) :: else fi; j++
    :: else -> break
    od
}

inline forget(s) {
    timer[s] = 0; began[s] = 0; wait[s] = 0; silent[s] = 0; quiet[s] = 0; since[s] = 0; got[s] = 0;
    unheard[s] = 0; late[s] = 0; better[s] = 0;
#if N == 3
    elsewhere[s] = 0; vouched[s] = CAP
#endif
}

inline listen(s) {
    forget(s); state[s] = LISTEN; follows[s] = NONE; timer[s] = F; own[s] = 0
}

inline boot(s) {
    listen(s);
    mode[s] = ON; lease[s] = 0; address[s] = 0; seen[s] = 0;
    resigned[s] = 0; resigner[s] = 0; waited[s] = 0; stranger[s] = CAP; nothing[s] = 0;
#if N == 3
    vouched[s] = CAP;
#endif
    j = 0;
    do
    :: j < N ->
        age[X(s, j)] = CAP; holds[X(s, j)] = 0; hears[X(s, j)] = 0; peerready[X(s, j)] = 0;
        fresh[X(s, j)] = 0;
#if N == 3
        hearsay[X(s, j)] = CAP;
#endif
        j++
    :: else -> break
    od
}

inline follow(s, holder) {
    forget(s); state[s] = BACKUP; follows[s] = holder
}

inline suspect(s, about, isilent, howlong) {
    forget(s);
    state[s] = SUSPECT; follows[s] = about; silent[s] = isilent; wait[s] = howlong
}

inline drop(s) {
    address[s] = 0; lease[s] = 0; own[s] = 0
}

/* n: live candidates that outrank s */
inline ahead(s) {
    n = 0;
#ifndef NO_RANK_ORDER
    j = 0;
    do
    :: j < N ->
        if
        :: j != s && j != follows[s] && age[X(s, j)] < F && RANKS(peerready[X(s, j)], j, ready[s], s) -> n++
        :: else
        fi;
        j++
    :: else -> break
    od
#endif
}

inline claim(s) {
#ifdef PROP_S6
    wrong = wrong || isolated[s] >= 4;
#endif
#ifdef PROP_S5
    wrong = wrong || (stranger[s] < F && since[s] < TL && resigned[s] == 0);
#endif
#ifdef PROP_P2
    wrong = wrong || (named != NONE && named != s && delayed == 0);
    named = NONE;
#endif
    j = 0;
    do
    :: j < N ->
        if :: j != s && SERVES(j) -> twice = 1 :: else fi;
#ifdef PROP_F2
        if :: j != s && mode[j] == ON && state[j] == HOLDER && lease[j] > 0 -> wrong = 1 :: else fi;
#endif
#ifdef PROP_R3
        if :: j != s && mode[j] == ON && BETTER(ready[j], j, ready[s], s) -> wrong = 1 :: else fi;
#endif
        j++
    :: else -> break
    od;
    forget(s);
    state[s] = HOLDER; follows[s] = NONE;
    INC(seen[s], 31); own[s] = seen[s];
    lease[s] = LEASE; address[s] = 1;
    tell(s)
}

#ifdef UNHEARING_SUCCESSOR
#define SUCCEEDS(s, j) 1
#else
#define SUCCEEDS(s, j) hears[X(s, j)]
#endif

/* n: the best-ranked server that s has heard; all: also one that was silent for some time */
inline choose(s, all) {
    n = NONE; j = 0;
    do
    :: j < N ->
        if
        :: j != s && ((age[X(s, j)] < F && SUCCEEDS(s, j)) || (all && age[X(s, j)] < CAP)) &&
           (n == NONE || BETTER(peerready[X(s, j)], j, peerready[X(s, n)], n)) -> n = j
        :: else
        fi;
        j++
    :: else -> break
    od
}

/* the address first, then the resignation, which names server n */
inline resign(s, then) {
#ifdef PROP_L2
    x = 0; j = 0;
    do
    :: j < N -> x = x || ready[j]; j++
    :: else -> break
    od;
    wrong = wrong || !x;
#endif
    drop(s);
    forget(s);
    follows[s] = NONE;
    state[s] = then;
    timer[s] = (then == BACKUP -> F + N : 0);
    j = 0;
    do
    :: j < N ->
        if
        :: j != s && !cut[X(s, j)] && KERNEL(j) && state[j] != GONE && adverts == 0 ->
            hear(j, s);
            resigned[j] = 1 + n; resigner[j] = s; waited[j] = 0
        :: else
        fi;
        j++
    :: else -> break
    od;
#ifdef PROP_P2
    if
    :: n != NONE ->
        named = n;
        delayed = (mode[n] == ON && resigned[n] == 1 + n -> 0 : 1)
    :: else
    fi
#endif
}

/* what answers the questions of s now */
inline ask(s) {
    echo = 0; arp = proxy; kernel = 0; j = 0;
    do
    :: j < N ->
        if
        :: j != s && PATH(s, j) && PROBES > 0 ->
            if :: SERVES(j) -> arp = 1; echo = echo || PROBES == 2 :: else fi;
            if :: KERNEL(j) && silent[s] && follows[s] == j -> kernel = 1 :: else fi
        :: else
        fi;
        j++
    :: else -> break
    od;
    sound = (GATEWAY && !nogateway[s]) || echo || kernel || stranger[s] == 0;
    j = 0;
    do
    :: j < N -> sound = sound || fresh[X(s, j)]; j++
    :: else -> break
    od
}

#ifdef RESIGNATION_OF_FOLLOWED_ONLY
#define IGNORED (follows[me] != NONE && follows[me] != resigner[me])
#else
#define IGNORED (state[me] == BACKUP && follows[me] != NONE && follows[me] != resigner[me] && \
                 holds[X(me, follows[me])] > 0 && age[X(me, follows[me])] < F)
#endif

inline read_resignation() {
    if
    :: resigned[me] > 0 ->
        if
        :: state[me] != BACKUP && state[me] != SUSPECT && state[me] != HOLDOFF
        :: else ->
            if
            :: IGNORED
#ifdef STALE_RESIGNATION
            :: else -> if :: resigned[me] == 1 + me -> claim(me)
#else
            :: else -> if :: resigned[me] == 1 + me && waited[me] < GRACE -> claim(me)
#endif
#ifdef NO_SUCCESSOR_GRACE
                       :: else -> suspect(me, resigner[me], 0, 0)
#else
                       :: else -> suspect(me, resigner[me], 0, GRACE)
#endif
                       fi
            fi
        fi;
        resigned[me] = 0; resigner[me] = 0; waited[me] = 0
    :: else
    fi
}

inline other_holder() {
    if
#ifdef NO_CONFLICT
    :: true
#endif
#ifdef RANK_ONLY
    :: BETTER(peerready[X(me, i)], i, ready[me], me) -> drop(me); follow(me, i)
#else
    :: holds[X(me, i)] > own[me] ||
       (holds[X(me, i)] == own[me] && BETTER(peerready[X(me, i)], i, ready[me], me)) ->
        drop(me); follow(me, i)
#endif
#ifdef EPOCH_ONLY
    :: else
#else
    :: else ->
        unheard[me] = (hears[X(me, i)] -> 0 : unheard[me] + 1);
        if :: unheard[me] >= UNHEARD -> drop(me); follow(me, i) :: else fi
#endif
    fi
}

inline read_advert() {
    if
    :: state[me] == HOLDER && holds[X(me, i)] > 0 -> other_holder()
    :: WAITING(me) && holds[X(me, i)] > 0 ->
        if
        :: state[me] != BACKUP || follows[me] == NONE -> follow(me, i)
        :: else ->
            if
            :: follows[me] != i && (age[X(me, follows[me])] >= F || holds[X(me, i)] > holds[X(me, follows[me])]) ->
                follow(me, i)
            :: else
            fi
        fi
    :: state[me] == BACKUP && follows[me] == i && holds[X(me, i)] == 0 -> suspect(me, i, 0, BUDGET_B)
    :: else
    fi;
#if N == 3
    h = 3 - me - i;
#ifndef NO_WITNESS
    if
    :: state[me] == HOLDER && holds[X(me, i)] == 0 ->
        elsewhere[me] = (hears[X(me, i)] && hearsay[X(me, i)] < F -> elsewhere[me] + 1 : 0);
        if
        :: elsewhere[me] >= WITNESSED -> drop(me); x = hearsay[X(me, i)]; follow(me, h); vouched[me] = x
        :: else
        fi
    :: else
    fi;
#endif
#ifndef NO_HEARSAY
    if
    :: WAITING(me) && state[me] != DEAF && (state[me] != BACKUP || follows[me] == NONE || follows[me] == h) &&
       hearsay[X(me, i)] < F && hearsay[X(me, i)] < age[X(me, h)] && hearsay[X(me, i)] < vouched[me] ->
        x = hearsay[X(me, i)];
        if :: state[me] != BACKUP || follows[me] == NONE -> follow(me, h) :: else fi;
        vouched[me] = x
    :: else
    fi;
#endif
    hearsay[X(me, i)] = CAP;
#endif
    fresh[X(me, i)] = 0
}

inline read_packets() {
    read_resignation();
    i = 0;
    do
    :: i < N -> if :: fresh[X(me, i)] -> read_advert() :: else fi; i++
    :: else -> break
    od
}

inline hold_off() {
    state[me] = HOLDOFF; began[me] = 0; wait[me] = 0; quiet[me] = 0
}

inline fall_deaf() {
    forget(me); state[me] = DEAF; follows[me] = NONE
}

#ifdef DEAF_CLAIMS
#define HEARS_NOTHING 0
#else
#ifdef DEAF_SINCE_SUSPICION
#define HEARS_NOTHING (GATEWAY && !got[me])
#else
#ifdef DEAF_WITHOUT_GATEWAY
#define HEARS_NOTHING (nothing[me] > 0)
#else
#define HEARS_NOTHING (GATEWAY && nothing[me] > 0)
#endif
#endif
#endif

#ifdef UNREADY_INELIGIBLE
#define MAY_CLAIM ready[me]
#else
#define MAY_CLAIM 1
#endif

#ifdef NO_ARP_BOUND
#define BOUND_OVER 0
#else
#define BOUND_OVER (since[me] >= TL)
#endif

#ifdef STRANGER_IGNORED
#define STRANGER_HEARD 0
#else
#define STRANGER_HEARD (stranger[me] < F)
#endif

#ifdef NO_KERNEL_EVIDENCE
#define KERNEL_HEARD 0
#else
#define KERNEL_HEARD kernel
#endif

inline while_suspect() {
    ahead(me);
#ifndef RANK_FROM_START
    if :: n < better[me] && began[me] > wait[me] -> wait[me] = began[me] :: else fi;
#endif
    better[me] = n;
    if
#ifdef NO_CONFIRM
    :: true -> claim(me)
#endif
    :: echo -> since[me] = 0; hold_off()
    :: else ->
        if
        :: began[me] < wait[me] + n || !MAY_CLAIM
        :: else ->
            if
            :: HEARS_NOTHING -> fall_deaf()
            :: else -> if :: arp || KERNEL_HEARD || STRANGER_HEARD -> hold_off() :: else -> claim(me) fi
            fi
        fi
    fi
}

inline while_holding_off() {
    if :: echo -> since[me] = 0 :: else fi;
    quiet[me] = (echo || arp -> 0 : MIN(quiet[me] + 1, STOPPED_AFTER + N));
    ahead(me);
#ifndef RANK_FROM_START
    if :: n < better[me] -> quiet[me] = MIN(quiet[me], STOPPED_AFTER) :: else fi;
#endif
    better[me] = n;
    if
    :: !MAY_CLAIM
    :: else ->
        if
        :: BOUND_OVER -> if :: HEARS_NOTHING -> fall_deaf() :: else -> claim(me) fi
        :: !BOUND_OVER && quiet[me] >= STOPPED_AFTER + n && !STRANGER_HEARD ->
            if :: HEARS_NOTHING -> fall_deaf() :: else -> claim(me) fi
        :: else
        fi
    fi
}

inline while_holding() {
    ahead(me);
    choose(me, 0);
    if
#ifndef DEAF_HOLDER_STAYS
    :: GATEWAY && nothing[me] >= DEAF_AFTER -> choose(me, 1); resign(me, DEAF)
#endif
#ifdef NO_FAIL_STATIC
    :: !ready[me] -> resign(me, BACKUP)
#endif
#ifndef HEALTH_IGNORED
    :: !ready[me] && n != NONE && peerready[X(me, n)] && !(GATEWAY && nothing[me] >= DEAF_AFTER) ->
        resign(me, BACKUP)
#endif
    :: else ->
        if
        :: !address[me] && echo -> drop(me); forget(me); state[me] = BACKUP; timer[me] = F + N
        :: else -> lease[me] = LEASE; address[me] = 1
        fi
    fi
}

inline step() {
    if
    :: mode[me] == ON && state[me] != GONE ->
#ifndef RENEW_LAPSED
        if :: state[me] == HOLDER && lease[me] == 0 -> drop(me); listen(me) :: else fi;
#endif
        ask(me);
        nothing[me] = (sound -> 0 : MIN(nothing[me] + 1, DEAF_AFTER));
        read_packets();
        if
        :: state[me] == SUSPECT || state[me] == HOLDOFF -> got[me] = got[me] || sound
        :: else
        fi;
        if
        :: late[me] ->
            late[me] = 0;
            timer[me] = (state[me] == BACKUP -> (timer[me] > 1 -> timer[me] : 1) : timer[me]);
            echo = 0; arp = 0; kernel = 0;     /* nobody was asked meanwhile */
#ifdef STALE_EVIDENCE
            if :: state[me] == SUSPECT -> began[me] = 0 :: else fi
#else
            began[me] = 0; quiet[me] = 0; since[me] = 0
#endif
        :: else
        fi;
        if
        :: state[me] == LISTEN && timer[me] == 0 -> suspect(me, NONE, 0, BUDGET_B)
        :: state[me] == BACKUP && timer[me] == 0 ->
            if
            :: follows[me] == NONE -> suspect(me, NONE, 0, BUDGET_B)
#if N == 3
            :: follows[me] != NONE && age[X(me, follows[me])] >= F && vouched[me] >= F ->
#else
            :: follows[me] != NONE && age[X(me, follows[me])] >= F ->
#endif
                suspect(me, follows[me], 1, BUDGET_B)
            :: else
            fi
        :: state[me] == SUSPECT -> while_suspect()
        :: state[me] == HOLDOFF -> while_holding_off()
        :: state[me] == DEAF && sound -> listen(me)
        :: state[me] == HOLDER -> while_holding()
        :: else
        fi
    :: else
    fi
}

inline time_passes() {
    i = 0;
    do
    :: i < N ->
        if
        :: KERNEL(i) ->
#ifndef NO_LEASE
            DEC(lease[i]);
            if :: lease[i] == 0 -> address[i] = 0 :: else fi;
#endif
            DEC(timer[i]);
            if :: state[i] == SUSPECT -> INC(began[i], CAP) :: else fi;
            if :: state[i] == SUSPECT || state[i] == HOLDOFF -> INC(since[i], TL) :: else fi;
            INC(stranger[i], CAP);
            if :: resigned[i] > 0 -> INC(waited[i], GRACE) :: else fi;
            j = 0;
            do
            :: j < N ->
                INC(age[X(i, j)], CAP);
                if :: age[X(i, j)] == CAP -> holds[X(i, j)] = 0; hears[X(i, j)] = 0 :: else fi;
                j++
            :: else -> break
            od;
#if N == 3
            INC(vouched[i], CAP)
#endif
        :: else
        fi;
        i++
    :: else -> break
    od
}

inline everybody_adverts() {
    i = 0;
    do
    :: i < N -> if :: mode[i] == ON && state[i] != GONE -> tell(i) :: else fi; i++
    :: else -> break
    od
}

inline everybody_steps() {
    m = 0;
    do
    :: m < N -> me = (turn + m) % N; step(); m++
    :: else -> break
    od
}

/* After a stop the daemon goes on, or a new one finds what the kernel and /run still have. */
inline restart(s) {
    x = seen[s];
    n = (state[s] == HOLDER && lease[s] > 0 -> own[s] : 0);
    i = lease[s]; m = address[s];
    boot(s);
    seen[s] = x;
    if :: n > 0 && m -> state[s] = HOLDER; timer[s] = 0; own[s] = n; lease[s] = i; address[s] = 1 :: else fi
}

#define FAULT faults--; rest = 0
#define TOGGLE(v) v = 1 - v
#define CUT(s, r) :: faults > 0 -> FAULT; TOGGLE(cut[X(s, r)])
#define CUT_PAIR(s, r) :: faults > 0 -> FAULT; TOGGLE(cut[X(s, r)]); cut[X(r, s)] = cut[X(s, r)]
#define CUT_GATEWAY(s) :: faults > 0 -> FAULT; TOGGLE(nogateway[s])
#define DEAFEN(s) :: faults > 0 -> FAULT; d_step { TOGGLE(nogateway[s]); j = 0; \
    do :: j < N -> cut[X(j, s)] = nogateway[s]; j++ :: else -> break od; cut[X(s, s)] = 0 }
#define PAUSE(s) :: faults > 0 && mode[s] == ON -> FAULT; mode[s] = STOP \
    :: faults > 0 && mode[s] == STOP -> FAULT; d_step { mode[s] = ON; late[s] = 1; nothing[s] = 0 }
#define RESTART(s) :: faults > 0 && mode[s] == STOP -> FAULT; d_step { restart(s) }
#define STAND_STILL(s) :: faults > 0 && mode[s] == ON -> FAULT; mode[s] = STUN \
    :: faults > 0 && mode[s] == STUN -> FAULT; mode[s] = ON
#define CRASH(s) :: faults > 0 && mode[s] != OFF -> FAULT; d_step { boot(s); mode[s] = OFF }
#define BOOT(s) :: faults > 0 && mode[s] == OFF -> FAULT; d_step { boot(s); j = 0 }
#define HEALTH(s) :: faults > 0 -> FAULT; TOGGLE(ready[s])
#define DELETE(s) :: faults > 0 && address[s] && rest >= F -> FAULT; address[s] = 0
#define HAND_OVER(s, to) :: faults > 0 && mode[s] == ON && state[s] == HOLDER && age[X(s, to)] < F && \
    hears[X(s, to)] -> FAULT; d_step { n = to; resign(s, BACKUP); j = 0 }
#define TERMINATE(s) :: faults > 0 && mode[s] == ON && state[s] == HOLDER -> FAULT; \
    d_step { choose(s, 0); resign(s, GONE); j = 0 }
#if N == 3
#define EACH(f) f(0) f(1) f(2)
#define EACH_PAIR(f) f(0, 1) f(1, 0) f(0, 2) f(2, 0) f(1, 2) f(2, 1)
#else
#define EACH(f) f(0) f(1)
#define EACH_PAIR(f) f(0, 1) f(1, 0)
#endif

inline interfere() {
    if
    :: true
#ifdef F_CUT
    EACH_PAIR(CUT)
#endif
#ifdef F_PAIR
    CUT_PAIR(0, 1)
#if N == 3
    CUT_PAIR(0, 2) CUT_PAIR(1, 2)
#endif
#endif
#ifdef F_ONE_PAIR
    CUT_PAIR(0, 1)
#endif
#ifdef F_GATEWAY
    EACH(CUT_GATEWAY)
#endif
#ifdef F_DEAFEN
    EACH(DEAFEN)
#endif
#ifdef F_STOP
    EACH(PAUSE)
#endif
#ifdef F_RESTART
    EACH(RESTART)
#endif
#ifdef F_STUN
    EACH(STAND_STILL)
#endif
#ifdef F_CRASH
    EACH(CRASH)
#endif
#ifdef F_BOOT
    EACH(BOOT)
#endif
#ifdef F_HEALTH
    EACH(HEALTH)
#endif
#ifdef F_DELETE
    EACH(DELETE)
#endif
#ifdef F_HANDOVER
    EACH_PAIR(HAND_OVER)
#endif
#ifdef F_TERM
    EACH(TERMINATE)
#endif
#ifdef F_FILTER
    :: faults > 0 -> FAULT; adverts = (adverts == 0 -> 1 : 0)
#endif
#ifdef F_STRANGER
    :: faults > 0 -> FAULT; adverts = (adverts == 0 -> 2 : 0)
#endif
#ifdef F_PROXY
    :: faults > 0 -> FAULT; TOGGLE(proxy)
#endif
    fi
}

#define SETTLED (rest >= K)

/* A server that could serve: it runs, and something reaches it. */
inline count() {
    n = 0;                /* servers */
    m = 0;                /* servers that hear something */
    x = 0;                /* running daemons that hear something */
    healed = (adverts == 0);   /* everything runs and is joined */
    h = 0;                /* pairs of servers joined by a wire that works in some direction */
    i = 0;
    do
    :: i < N ->
        sound = (GATEWAY && !nogateway[i]) || !GATEWAY;
        j = 0;
        do
        :: j < N ->
            sound = sound || (j != i && !cut[X(j, i)] && mode[j] == ON && state[j] != GONE && adverts == 0);
            healed = healed && !cut[X(i, j)];
            if
            :: j < i && SERVES(i) && SERVES(j) && (!cut[X(i, j)] || !cut[X(j, i)]) -> h++
            :: else
            fi;
            j++
        :: else -> break
        od;
        healed = healed && mode[i] == ON && state[i] != GONE && !nogateway[i];
        if :: SERVES(i) -> n++; m = m + sound :: else fi;
        if :: mode[i] == ON && state[i] != GONE && sound -> x++ :: else fi;
        i++
    :: else -> break
    od
}

/* Before anybody steps: a machine that stood still serves again before its daemon runs. */
inline observe_early() {
#ifdef PROP_S1
    i = 0; n = 0;
    do
    :: i < N -> if :: SERVES(i) -> n++ :: else fi; i++
    :: else -> break
    od;
    twice = twice || n > 1;
#endif
    i = 0
}

inline observe() {
    count();
#ifdef PROP_S1
    wrong = wrong || twice || n > 1;
#endif
#ifdef PROP_S2
    wrong = wrong || (SETTLED && h > 0);
#endif
#ifdef PROP_L1
    wrong = wrong || (SETTLED && x > 0 && m == 0);
#endif
#ifdef PROP_L3
    wrong = wrong || (SETTLED && healed && n != 1);
#endif
#ifdef PROP_W1
    i = 0;
    do
    :: i < N ->
        j = (i + 1) % N; h = (i + 2) % N;
        wrong = wrong || (SETTLED && SERVES(j) && SERVES(h) && mode[i] == ON && state[i] != GONE &&
                          PATH(i, j) && PATH(i, h));
        i++
    :: else -> break
    od;
#endif
#ifdef PROP_STUN
    wrong = wrong || n > 1;
#endif
#ifdef PROP_F3
    wrong = wrong || seen[0] > 16;
#endif
#ifdef PROP_E1
    i = 0; x = 0;
    do
    :: i < N -> x = (SERVES(i) && own[i] > x -> own[i] : x); i++
    :: else -> break
    od;
    wrong = wrong || (n > 0 && x < newest);
    newest = (n > 0 -> x : 0);
#endif
#ifdef PROP_H1
    i = 0;
    do
    :: i < N ->
        j = 0;
        do
        :: j < N ->
            wrong = wrong || (SETTLED && SERVES(i) && !ready[i] && mode[j] == ON && ready[j]);
            j++
        :: else -> break
        od;
        i++
    :: else -> break
    od;
#endif
#ifdef PROP_P2
    if :: named != NONE && (mode[named] != ON || state[named] == GONE) -> delayed = 1 :: else fi;
#endif
#ifdef PROP_S6
    i = 0;
    do
    :: i < N ->
        sound = !nogateway[i];
        j = 0;
        do
        :: j < N -> sound = sound || (j != i && !cut[X(j, i)]); j++
        :: else -> break
        od;
        isolated[i] = (sound -> 0 : MIN(isolated[i] + 1, 4));
        i++
    :: else -> break
    od;
#endif
    INC(rest, K)
}

/* One line a server for each tick of a counterexample: check.py --trace. */
inline describe() {
#ifdef TRACE
    printf("tick, last fault %d ago, %d left, adverts %d, violated %d\n", rest - 1, faults, adverts, wrong);
    i = 0;
    do
    :: i < N ->
        printf("  server %d: host %d ready %d gateway cut %d | state %d vip %d lease %d epoch %d seen %d", i, mode[i],
               ready[i], nogateway[i], state[i], address[i], lease[i], own[i], seen[i]);
        printf(" | follows %d timer %d began %d quiet %d hears nothing for %d unheard %d | cut to, age, holds:", follows[i],
               timer[i], began[i], quiet[i], nothing[i], unheard[i]);
        j = 0;
        do
        :: j < N -> printf(" %d %d %d,", cut[X(i, j)], age[X(i, j)], holds[X(i, j)]); j++
        :: else -> break
        od;
        printf("\n");
        i++
    :: else -> break
    od;
#endif
    i = 0
}

active proctype world() {
    d_step {
        i = 0;
        do
        :: i < N -> boot(i); ready[i] = (READY >> i) & 1; i++
        :: else -> break
        od;
        i = 0; j = 0
    }
    do
    :: atomic {
        interfere();
        if :: turn = 0 :: turn = 1
#if N == 3
        :: turn = 2
#endif
        fi;
        d_step {
            time_passes();
            everybody_adverts();
            observe_early();
            everybody_steps();
            observe();
            describe();
            turn = 0; i = 0; j = 0
        };
        assert(!wrong)
    }
    od
}
